# 벤치마크: 각각 무엇을 재는지, 그리고 수치의 이름.

fail-bench = 벤치마크를 끝까지 실행하지 못했습니다

bench-submit = HTTP를 통한 내구성 있는 제출. 요청마다 워크로드 하나, 연결 32개, 모든 프로세서가 차 있어 배치 계획이 매번 길어지는 대기열을 만납니다. 디스크에 기록되기 전에는 응답하지 않습니다. 기준선은 같은 실행에서 잰 순수 SQLite(WAL, synchronous=FULL)로, 같은 바이트를 단계마다 한 행씩, 저널에 나타난 묶음 크기대로 씁니다.
bench-submit-rate = 내구성 있는 제출
bench-submit-floor = 기준선: 순수 SQLite, 같은 바이트, 같은 묶음
bench-submit-ratio = 기준선 대 공장
bench-submit-batch = 한 번 쓸 때의 평균 제출 수
bench-submit-p50 = 응답까지의 시간, 중앙값
bench-submit-p99 = 응답까지의 시간, 100번 중 99번
bench-submit-slurm-here = 이 기계의 Slurm, sbatch 하나씩 (내구성 없음)
bench-submit-slurm-one = Slurm, sbatch 하나씩 (내구성 없음)
bench-submit-slurm-eight = Slurm, sbatch 여덟씩 (내구성 없음)
bench-submit-slurm-rest = Slurm, REST로 (내구성 없음)
bench-submit-spur = ROCm Spur

bench-start = 쉬고 있는 공장: 요청을 쓰기 직전부터 태스크가 가장 먼저 시각을 출력할 때까지.
bench-start-p50 = 제출에서 프로세스 시작까지, 중앙값
bench-start-p99 = 제출에서 프로세스 시작까지, 100번 중 99번
bench-start-slurm-tuned = Slurm, 조정한 설정
bench-start-slurm-default = Slurm, 기본 설정
bench-start-srun = Slurm, srun
bench-start-hyperqueue = HyperQueue
bench-start-spur = ROCm Spur

bench-throughput = 로컬 엔진으로 "true"를 10,000번, 제출부터 마지막 종료까지. 내구성 있는 저널, 제한, 샌드박스, 사용자, 로그, 영수증을 모두 켠 상태로 여덟 개씩. 단순 반복은 같은 프로그램을 로그 파일 두 개와 함께 같은 실행에서 돌리고 그 밖에는 아무것도 하지 않습니다.
bench-throughput-array = 배열 하나로
bench-throughput-single = 하나씩 제출
bench-throughput-loop = fork와 exec만 하는 단순 반복
bench-throughput-hyperqueue = HyperQueue, 배열로 (저널, 제한, 샌드박스, 영수증 없음)
bench-throughput-slurm = Slurm
bench-throughput-spur = ROCm Spur
bench-throughput-xargs = xargs -P8

bench-store = 끝난 워크로드 백만 개가 저장소에 있을 때, 그리고 십만 개가 기다릴 때.
bench-store-startup = 끝난 워크로드 백만 개일 때, 일을 받기까지의 시작 시간
bench-store-memory = 끝난 워크로드 백만 개일 때의 메모리
bench-store-ps = 끝난 워크로드 백만 개일 때의 eaf ps
bench-store-ps-all = 끝난 워크로드 백만 개일 때의 eaf ps --all
bench-store-memory-after = 끝난 워크로드 백만 개일 때의 메모리, 목록을 본 뒤
bench-store-waiting = 100,000개가 기다릴 때의 메모리
bench-store-waiting-ps = 100,000개가 기다릴 때의 eaf ps

bench-twin = 가상 시간으로 돌린 공장의 코어, 스레드 하나: “eaf twin replay”와 “eaf twin search”. openb는 노드 1,523대와 파드 8,152개, Philly는 작업이 기다리게 되는 노드 16대와 작업 2,000개, 백만 개는 가속기 8개인 노드 10,000대에 부하 0.9로 지어낸 것입니다. 기준은 400바이트 단계를 같은 수만큼 해시만 한 것입니다.
bench-twin-openb = openb, 파일을 읽어 보고하기까지
bench-twin-openb-memory = openb, 최대 메모리
bench-twin-philly = Philly 작업, 파일을 읽어 보고하기까지
bench-twin-simulators-slow = 공개된 시뮬레이터, 가장 느린 것
bench-twin-simulators-fast = 공개된 시뮬레이터, 가장 빠른 것
bench-twin-million = 노드 10,000대에 워크로드 백만 개
bench-twin-million-memory = 워크로드 백만 개, 최대 메모리
bench-twin-steps = 그때 저널의 단계
bench-twin-floor = 기준: 해시만 한 단계
bench-twin-seeds = 탐색한 시드: 고장, 충돌, 재생, 불변식
bench-twin-seed-hours = 탐색한 가상 시간(시)

bench-topology = 실제 3계층 Clos 네트워크(알리바바 Lingjun, 2023: 호스트 847대, 액세스 스위치 48대, 집선 스위치 3대)에서 호스트의 90 %를 쓰며 오가는 갱 4,000개, 시드 세 개. 여러 호스트를 쓰는 갱이 닿는 그 계층의 스위치 수의 평균이며, 적을수록 좋고 1이 최소입니다. Philly 구성은 그 트레이스(2017)에서 가속기 8개 이상을 쓴 작업이고, 큰 구성은 호스트 2, 4, 8, 16, 32, 64대 갱이 같은 수만큼 오도록 지어낸 것입니다.
bench-topology-philly-leaf = Philly 구성: 액세스 스위치
bench-topology-philly-spine = Philly 구성: 집선 스위치
bench-topology-philly-leaf-best = Philly 구성: 액세스 스위치, 최적 적합
bench-topology-philly-spine-best = Philly 구성: 집선 스위치, 최적 적합
bench-topology-philly-leaf-first = Philly 구성: 액세스 스위치, 최초 적합
bench-topology-philly-spine-first = Philly 구성: 집선 스위치, 최초 적합
bench-topology-philly-leaf-random = Philly 구성: 액세스 스위치, 무작위
bench-topology-philly-spine-random = Philly 구성: 집선 스위치, 무작위
bench-topology-large-leaf = 큰 구성: 액세스 스위치
bench-topology-large-spine = 큰 구성: 집선 스위치
bench-topology-large-leaf-best = 큰 구성: 액세스 스위치, 최적 적합
bench-topology-large-spine-best = 큰 구성: 집선 스위치, 최적 적합
bench-topology-large-leaf-first = 큰 구성: 액세스 스위치, 최초 적합
bench-topology-large-spine-first = 큰 구성: 집선 스위치, 최초 적합
bench-topology-large-leaf-random = 큰 구성: 액세스 스위치, 무작위
bench-topology-large-spine-random = 큰 구성: 집선 스위치, 무작위

bench-scheduler = 디스크와 엔진을 뺀 코어의 계획. 가속기 여덟 개짜리 노드가 패브릭 안에서 모두 쓰이고 있고, 그 뒤에 200가지 모양의 워크로드 100,000개가 기다립니다(단일 태스크, 네 개짜리 갱, 가속기의 일부). 크기를 주지 않으면 노드 1,000개, 10,000개, 100,000개.
bench-scheduler-cold = 기억 없는 계획 한 번(다시 시작한 뒤처럼). 노드가 가득 참
bench-scheduler-arrival = 도착 하나를 계획
bench-scheduler-fill = 노드를 채우는 동안 부여한 리스
bench-scheduler-steady = 도착 하나와 종료 하나를 계획, 평균
bench-scheduler-steady-p99 = 도착 하나와 종료 하나를 계획, 99번째 백분위
bench-scheduler-estimate = 시작 예상을 포함한 설명
bench-scheduler-memory = 코어의 메모리
bench-scheduler-cold-1k = 노드 1,000개: 기억 없는 계획 한 번(다시 시작한 뒤처럼). 노드가 가득 참
bench-scheduler-arrival-1k = 노드 1,000개: 도착 하나를 계획
bench-scheduler-fill-1k = 노드 1,000개: 노드를 채우는 동안 부여한 리스
bench-scheduler-steady-1k = 노드 1,000개: 도착 하나와 종료 하나를 계획, 평균
bench-scheduler-steady-p99-1k = 노드 1,000개: 도착 하나와 종료 하나를 계획, 99번째 백분위
bench-scheduler-estimate-1k = 노드 1,000개: 시작 예상을 포함한 설명
bench-scheduler-memory-1k = 노드 1,000개: 코어의 메모리
bench-scheduler-cold-10k = 노드 10,000개: 기억 없는 계획 한 번(다시 시작한 뒤처럼). 노드가 가득 참
bench-scheduler-arrival-10k = 노드 10,000개: 도착 하나를 계획
bench-scheduler-fill-10k = 노드 10,000개: 노드를 채우는 동안 부여한 리스
bench-scheduler-steady-10k = 노드 10,000개: 도착 하나와 종료 하나를 계획, 평균
bench-scheduler-steady-p99-10k = 노드 10,000개: 도착 하나와 종료 하나를 계획, 99번째 백분위
bench-scheduler-estimate-10k = 노드 10,000개: 시작 예상을 포함한 설명
bench-scheduler-memory-10k = 노드 10,000개: 코어의 메모리
bench-scheduler-cold-100k = 노드 100,000개: 기억 없는 계획 한 번(다시 시작한 뒤처럼). 노드가 가득 참
bench-scheduler-arrival-100k = 노드 100,000개: 도착 하나를 계획
bench-scheduler-fill-100k = 노드 100,000개: 노드를 채우는 동안 부여한 리스
bench-scheduler-steady-100k = 노드 100,000개: 도착 하나와 종료 하나를 계획, 평균
bench-scheduler-steady-p99-100k = 노드 100,000개: 도착 하나와 종료 하나를 계획, 99번째 백분위
bench-scheduler-estimate-100k = 노드 100,000개: 시작 예상을 포함한 설명
bench-scheduler-memory-100k = 노드 100,000개: 코어의 메모리
bench-scheduler-cold-shares = 노드 10,000개, 테넌트 10곳의 프로젝트 100개에 몫(둘 중 하나는 최대치에 도달): 기억 없는 계획 한 번
bench-scheduler-steady-shares = 노드 10,000개, 같은 몫, 계획마다 모양 1,000개: 도착 하나와 종료 하나를 계획, 평균
bench-scheduler-steady-p99-shares = 노드 10,000개, 같은 몫, 계획마다 모양 1,000개: 도착 하나와 종료 하나를 계획, 99번째 백분위
bench-scheduler-burst = 빈 노드 1,000개: 가속기 작업 10,000개가 한꺼번에 도착하여 자리가 찰 때까지
bench-scheduler-burst-starts = 그때까지 시작한 작업
bench-scheduler-slurm-cycle = Slurm, 노드 1,000개, 대기 10,000개: 2,726개를 시작한 주 순환
bench-scheduler-slurm-backfill = Slurm: 백필에서 작업 하나

bench-floor = 공장 없이 디스크와 커널이 할 수 있는 것. 400바이트 행, SQLite WAL, synchronous=FULL.
bench-floor-one = 한 행씩 커밋
bench-floor-by-32 = 32행씩
bench-floor-by-100 = 100행씩
bench-floor-fork-exec = fork와 exec만 하는 단순 반복, 여덟 개씩, 로그 파일 두 개와 함께
