# 명령과 인자의 도움말. 영어는 코드에 있다.

help = Eco-AI Factory: AI 데이터센터의 작업을 줄 세우고, 배치하고, 실행하고, 재고, 값을 매깁니다.
help-lang = 메시지 언어: en 또는 ko. 없으면 EAF_LANG, 그다음 로캘.
help-data-dir = 공장의 데이터 디렉터리. 없으면 EAF_DATA_DIR, 그다음 root는 /var/lib/eaf, 다른 사용자는 ~/.local/share/eaf.

help-up = 이 기계에 공장을 켭니다.
help-up-port = 들을 포트. 0은 빈 포트. 없으면 EAF_PORT, 그다음 7070.
help-up-bind = 들을 주소. 없으면 127.0.0.1. 루프백이 아니면 TLS나 --insecure-http가 필요합니다.
help-up-site = 노드와 레이블을 적은 사이트 파일. 없으면 EAF_SITE.
help-up-config = 설정 파일. 없으면 EAF_CONFIG, 여기의 eaf.toml, /etc/eaf/eaf.toml 순서.
help-up-detach = 뒤에서 계속합니다. “eaf down”으로 멈춥니다.
help-up-pretend-accelerators = 시험 삼아 쓸, 실제로는 없는 가속기. 보기: 8xMI355X. 어디서나 가상이라고 표시합니다.
help-up-insecure-http = 다른 기계에서 닿을 수 있는 주소에서 평문 HTTP를 씁니다.
help-up-tls-cert = HTTPS 인증서 사슬(PEM).
help-up-tls-key = HTTPS 개인 키(PEM).
help-up-check-invariants = 단계마다 모든 불변식을 확인합니다. 느려집니다.
help-up-run = 켜진 뒤 이 워크로드 파일을 제출해 따라가고, 영수증을 보인 다음 켜져 있습니다.
help-up-log-format = 로그 형식: text 또는 json. 무엇을 적을지는 EAF_LOG로 정합니다. 보기: warn, eaf_server=debug.
help-up-detached = 뒤에서 계속하는 프로세스에 --detach가 붙입니다.

help-down = 공장을 멈춥니다. 따로 말하지 않으면 실행 중인 작업은 계속됩니다.
help-down-stop-work = 실행 중인 작업도 끝냅니다.

help-run = 명령을 실행하고, 출력을 따라가고, 그 코드로 끝납니다.
help-run-detach = id만 출력하고 돌아옵니다. 따라가지 않습니다.
help-run-key = 멱등 키. 같은 키와 같은 요청은 같은 워크로드가 됩니다.
help-run-command = 명령과 그 인자. 앞에 --를 둘 수 있습니다.
help-run-name = 사람이 읽을 이름. 없으면 명령의 이름.
help-run-project = 속한 프로젝트.
help-run-tasks = 태스크 수. 여럿이면 모두 함께 시작하거나 전혀 시작하지 않습니다.
help-run-tasks-min = 시작하고 계속 실행하는 데 필요한 최소 태스크 수. 적지 않으면 전부 필요합니다.
help-run-tasks-per-node-max = 한 노드에 함께 있을 수 있는 최대 태스크 수.
help-run-cpu = 태스크마다 CPU 스레드 수. 보기: 2, 0.5.
help-run-memory = 태스크마다 메모리. 보기: 512MiB, 2GiB.
help-run-slice = 가속기의 조각: 1g.10gb, CPX 등. -g 뒤의 수만큼.
help-run-accelerators = 태스크마다 가속기: 4, 4:MI355X, 1:MI300X|MI325X.
help-run-share = 가속기 하나의 몫. 보기: 0.25.
help-run-wall-time = 실행 시간 한도. 보기: 90s, 1h30m.
help-run-priority = 클수록 먼저. -1000에서 1000까지.
help-run-preemptible = 먼저 갈 워크로드에 자리를 내주고, 그 뒤 원래 순서에서 다시 기다립니다.
help-run-keeps-progress = 멈췄다 다시 시작해도 하던 데서 이어 가므로, 자리를 내줘도 잃는 것이 없습니다.
help-run-retries = 실패한 뒤 다시 시도할 횟수.
help-run-fail-on-loss = 시도를 잃으면 다시 시도하지 않고 실패로 끝냅니다.
help-run-after-ok = 이것들이 성공한 뒤 시작합니다.
help-run-after-any = 이것들이 어떻게든 끝난 뒤 시작합니다.
help-run-expires-after = 지금부터 이만큼 지나도 시작하지 못하면 그만둡니다.
help-run-deadline = 실행 시간 한도만큼 실행해서 이때까지 끝날 수 없게 되면 그만둡니다: 시차가 있는 날짜, 또는 6h처럼 지금부터의 시간.
help-run-stop-grace = 부드러운 중지와 강제 중지 사이의 시간.
help-run-env = 환경 변수. 여러 번 줄 수 있습니다.
help-run-label = 레이블. 여러 번 줄 수 있습니다.
help-run-workdir = 작업 디렉터리. 없으면 새 디렉터리.

help-submit = 워크로드 파일을 제출합니다: TOML, YAML, #SBATCH 줄이 있는 셸 스크립트.
help-submit-file = 파일: TOML, YAML, #SBATCH 줄이 있는 셸 스크립트. -는 표준 입력.
help-submit-key = 멱등 키. 같은 키와 같은 요청은 같은 워크로드가 됩니다.
help-submit-preemptible = 파일에 없어도, 먼저 갈 워크로드에 자리를 내주고 원래 순서에서 다시 기다립니다.
help-submit-wait = 끝날 때까지 기다립니다. 완료됐을 때만 0으로 끝납니다.
help-submit-what-if = 제출하지 않고, 지금 어디서 시작할지 또는 왜 기다리고 언제 시작할지 말합니다.
help-submit-dry-run = 파일을 읽어 요청할 내용을 출력하고 보내지는 않습니다.
help-submit-json = 프로그램을 위한 JSON 문서.

help-ps = 워크로드 목록을 보입니다.
help-ps-all = 끝난 것도 보입니다.
help-ps-state = 이 상태만: queued, granted, starting, running, stopping, finished, failed, cancelled, expired.
help-ps-project = 이 프로젝트만.
help-ps-name = 이 이름의 워크로드만.
help-ps-array = 이 배열의 구성원만.
help-ps-limit = 이만큼까지. 없으면 표는 100개, --json은 모두.
help-ps-json = 프로그램을 위한 JSON 배열.

help-show = 워크로드를 자세히 보입니다: 요청한 것, 시도, 쓴 것.
help-show-id = 워크로드. 보기: wl-12, wl-12.0.
help-show-json = 프로그램을 위한 JSON 문서.

help-explain = 왜 기다리는지, 언제 시작할지 말합니다.
help-explain-id = 워크로드. 보기: wl-12.
help-explain-json = 프로그램을 위한 JSON 문서.

help-logs = 워크로드의 출력을 보입니다.
help-logs-id = 워크로드. 보기: wl-12, wl-12.0.
help-logs-follow = 태스크가 끝날 때까지 계속합니다.
help-logs-stderr = 표준 출력 대신 표준 오류.
help-logs-task = 0부터 세는 태스크.
help-logs-attempt = 1부터 세는 시도. 없으면 가장 최근.

help-cp = 워크로드의 디렉터리에서 파일을 복사해 옵니다.
help-cp-from = 복사할 것: 워크로드와 그 디렉터리 안의 경로. 보기: wl-12:out/model.bin.
help-cp-to = 복사할 곳: 파일, 디렉터리, 또는 표준 출력을 뜻하는 -.

help-cancel = 워크로드, 또는 배열의 살아 있는 구성원 모두를 취소합니다.
help-cancel-ids = 워크로드나 배열. 보기: wl-12.
help-cancel-json = 그때의 워크로드를 담은 JSON 배열.

help-checkpoint = 태스크 안에서, 체크포인트를 썼다고 알립니다.
help-checkpoint-label = 이 체크포인트의 설명. 보기: "epoch 12". 함께 보입니다.
help-checkpoint-whole-gang = 이 태스크만이 아니라 갱의 모든 태스크에 필요한 것을 담고 있습니다.

help-wait = 워크로드가 끝날 때까지 기다립니다.
help-wait-ids = 워크로드나 배열. 보기: wl-12.
help-wait-json = 끝난 워크로드를 담은 JSON 배열.

help-receipt = 워크로드의 영수증을 보이거나 검증합니다.
help-receipt-show = 끝난 워크로드의 영수증을 보입니다.
help-receipt-show-id = 워크로드. 보기: wl-12, wl-12.0.
help-receipt-show-json = 서명된 문서를 바이트 그대로.
help-receipt-verify = 공장 없이 영수증을 다시 계산하고 서명을 확인합니다.
help-receipt-verify-file = 영수증. -는 표준 입력.
help-receipt-verify-key = 공장의 공개 키. 글이나 파일. 없으면 데이터 디렉터리의 것.
help-receipt-verify-json = 프로그램을 위한 JSON 문서.

help-node = 노드를 보이고 배정을 멈추거나 재개합니다.
help-node-list = 노드 목록을 보입니다.
help-node-list-json = 프로그램을 위한 JSON 배열.
help-node-show = 노드를 보입니다.
help-node-show-node = 노드의 id나 이름.
help-node-show-json = 프로그램을 위한 JSON 문서.
help-node-cordon = 노드에 새 작업을 배정하지 않습니다. 실행 중인 것은 계속됩니다.
help-node-cordon-node = 노드의 id나 이름.
help-node-cordon-why = 다음 당번을 위한 까닭.
help-node-cordon-json = 프로그램을 위한 JSON 문서.
help-node-mode = 빈 가속기의 모드를 바꿉니다. 사용 중지된 것도 되살립니다.
help-node-mode-node = 노드의 id나 이름.
help-node-mode-accelerators = 가속기 번호들: 0,1,2.
help-node-mode-mode = whole, 또는 MIG, CPX/NPS4 같은 모드.
help-node-mode-json = 프로그램을 위한 JSON 문서.
help-node-uncordon = 노드에 다시 작업을 배정합니다.
help-node-uncordon-node = 노드의 id나 이름.
help-policy = 몫, 예약, 점검 기간: 정책 파일을 보이고 검사하고 비교하고 적용합니다.
help-policy-show = 적용 중인 정책을 다시 적용할 수 있는 파일로 보입니다.
help-policy-show-json = 프로그램을 위한 JSON 문서.
help-policy-usage = 어느 몫이 무엇을 보유하는지 보입니다.
help-policy-usage-json = 프로그램을 위한 JSON 문서.
help-policy-check = 정책 파일을 검사합니다. 공장이 응답하면 노드와 실행 중인 작업에도 맞추어 봅니다.
help-policy-check-file = TOML 정책 파일. -는 표준 입력.
help-policy-diff = 정책 파일이 무엇을 바꿀지 보입니다.
help-policy-diff-file = TOML 정책 파일. -는 표준 입력.
help-policy-apply = 정책 파일을 적용합니다. 파일에 적힌 것이 정책의 전부가 됩니다.
help-policy-apply-file = TOML 정책 파일. -는 표준 입력.
help-node-uncordon-json = 프로그램을 위한 JSON 문서.

help-events = 일어나는 일을 따라갑니다.
help-events-follow = 앞으로 올 것도 계속 보입니다. 없으면 이미 일어난 것만 출력합니다.
help-events-after = 이 사건이나 단계 다음부터. 보기: 12.0, 12. 없으면 마지막 몇 개, 0은 처음부터.
help-events-json = 한 줄에 JSON 문서 하나.

help-verify = 저널을 확인합니다: 사슬, 불변식, 기록.
help-verify-expect = 영수증에 적힌, 저널에 있어야 하는 자리.
help-verify-invariants-every = 이만큼의 단계마다, 그리고 끝에서 불변식을 확인합니다.
help-verify-json = 프로그램을 위한 JSON 문서.

help-backup = 공장이 켜진 채로 저널과 키를 복사합니다.
help-backup-to = 복사할 곳: 없거나 빈 디렉터리.
help-backup-json = 프로그램을 위한 JSON 문서.

help-restore = 백업에서 데이터 디렉터리를 만듭니다.
help-restore-from = 백업.
help-restore-json = 프로그램을 위한 JSON 문서.

help-completions = 셸 자동 완성 스크립트를 출력합니다.
help-completions-shell = 셸: bash, zsh, fish, elvish, powershell.

help-twin = 가상 시간으로 일합니다: 트레이스를 공장의 코어에 흘려보냅니다.
help-twin-replay = 트레이스의 작업을 가상 시간으로 재연하고 대기, 사용, 에너지를 보고합니다.
help-twin-replay-format = 트레이스 형식: openb, philly, synthetic.
help-twin-replay-nodes = 노드: openb 노드 파일이나 16x8, 16x8xMI355X 같은 말. 여럿이면 여러 번 재연합니다.
help-twin-replay-pods = openb 트레이스의 파드. 없으면 프로그램에 든 트레이스.
help-twin-replay-jobs = Philly 트레이스의 작업(없으면 프로그램에 든 2,000개), 또는 지어낼 작업의 수.
help-twin-replay-rate = 작업이 트레이스보다 몇 배 빨리 들어올지. 여럿이면 여러 번 재연합니다.
help-twin-replay-from = 트레이스가 시작하고 이만큼 지나기 전에 제출된 것은 뺍니다. 보기: 30d.
help-twin-replay-to = 트레이스가 시작하고 이만큼 지난 뒤에 제출된 것은 뺍니다.
help-twin-replay-nodes-max = 목록에서 고르게 뽑은 이만큼의 노드만 씁니다.
help-twin-replay-wall-times = 작업이 얼마나 돌지 공장이 아는 것: unknown(모름), exact(그대로), overstated(부풀림).
help-twin-replay-least-used = 부풀린 한도 가운데 실제로 쓰는 가장 작은 비율. 이 값과 1 사이에서 고르게 뽑습니다. 없으면 0.1.
help-twin-replay-estimates = 워크로드 약 이만큼을 제출할 때 시작 예상을 묻고, 얼마나 틀렸는지 보고합니다.
help-twin-replay-policy = 대기열 정책. 여럿이면 나란히: fifo, fifo-skip, sjf, sjf-skip, las, eaf. 없으면 공장의 기본.
help-twin-replay-placement = 정책을 재연할 때 노드를 고르는 규칙: eaf(공장의 것), reference(공개 벤치마크의 것).
help-twin-replay-preemption-cost = 다른 작업 때문에 멈출 때마다 드는 값: none(없음), published(가속기 8개까지 40초, 그 위 60초).
help-twin-replay-begins = 트레이스가 시작하는 날. 요금과 탄소가 달력을 따릅니다.
help-twin-replay-seed = 지어낸 작업의 시드. 없으면 1.
help-twin-replay-load = 지어낸 작업의 부하: 노드 전체에 대한 비율. 없으면 0.9.
help-twin-replay-check-invariants = 단계마다 모든 불변식을 확인합니다. 느립니다.
help-twin-replay-html = 차트가 있는 문서를 이 파일에 씁니다.
help-twin-replay-json = 프로그램을 위한 JSON: 문서 하나, 여러 번 재연하면 배열.

help-twin-run = 시나리오를 실행하고 옆에 있는 출력과 견줍니다.
help-twin-run-file = 시나리오 파일. 한 줄에 한 동작.
help-twin-run-update = 각 출력을 시나리오 옆에 씁니다(.eafs 대신 .out).
help-twin-search = 임의의 공장, 워크로드, 장애에서 깨지는 규칙을 찾습니다.
help-twin-search-seeds = 시드의 수. 없으면 1000.
help-twin-search-from = 첫 시드.
help-twin-search-seed = 이 시드만 실행하고 가상 시간 로그를 출력합니다.
help-twin-search-jobs = 스레드의 수. 없으면 프로세서마다 하나.
help-twin-search-json = 프로그램을 위한 JSON 문서.
help-twin-what-if = 노드를 바꾸거나 작업을 더하면 무엇이 달라질지 보입니다. 공장은 읽기만 합니다.
help-twin-what-if-from = 공장의 데이터 디렉터리. 없으면 --data-dir의 것.
help-twin-what-if-add-nodes = 더할 노드: 2*이름(그 노드와 같은 것 둘)이나 4x8xMI355X 같은 말.
help-twin-what-if-remove-nodes = 이제부터 작업을 받지 않을 노드의 이름. 쉼표로 나눕니다.
help-twin-what-if-submit = 지금 제출할 워크로드 파일: TOML, YAML, #SBATCH 스크립트.
help-twin-what-if-last = 작업이 제한 시간의 얼마 동안 돈다고 볼지.
help-twin-what-if-all = 모든 워크로드를 보입니다.
help-twin-what-if-json = 프로그램을 위한 JSON 문서.

help-bench = 이 공장을 예산과 다른 프로그램에 견주어 잽니다.
help-bench-what = 잴 것: submit, start, throughput, store, twin, topology, scheduler, floor, placement, replay, all(마지막 둘 제외).
help-bench-jobs = replay: 노드 64, 56, 48개의 표를 위한 Philly 트레이스. 없으면 그 표는 뺍니다.
help-bench-trace = placement: openb 형식의 파드 목록. 트레이스 이름은 파일 이름에서 얻습니다.
help-bench-nodes = placement: openb 형식의 노드 목록. scheduler: 세 크기 대신 쓸 노드 수.
help-bench-pending = scheduler: 기다리는 워크로드의 수.
help-bench-orders = placement: 도착 순서와 동점 순서. 그대로거나 gzip으로 압축한 것.
help-bench-policy = placement: fgd, bestfit, dotprod, gpupacking, gpuclustering, random, eaf. 주지 않으면 eaf.
help-bench-seed = placement: 이 시드의 순서만.
help-bench-columns = placement: --json에 0부터 130까지 모든 부하의 값을 더합니다.
help-bench-all = placement: --data의 모든 트레이스, 모든 정책. 발표된 결과와 견줍니다. replay: 모든 표.
help-bench-data = placement: --all이 읽는 폴더.
help-bench-rounds = 각각 몇 번 할지. 가운데 값을 보입니다.
help-bench-quick = 일을 10분의 1로 줄여, 도는지만 봅니다.
help-bench-json = JSON을 출력합니다.
help-bench-markdown = Markdown 문서도 이 파일에 씁니다.
help-bench-directory = 공장과 비교 파일을 둘 곳. 공장이 쓸 디스크 위여야 합니다.

help-supervise = 데이터 디렉터리의 작업을 지킵니다. 공장이 스스로 켭니다.
