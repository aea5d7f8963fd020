# 명령이 하는 말.

## 파일에서 틀린 것. 파일 이름과 줄 뒤에 온다.

file-not-utf8 = UTF-8 글이 아닙니다
file-syntax = 형식이 틀렸습니다: { $what }
file-unknown-field = “{ $field }” 항목은 없습니다. 쓸 수 있는 항목: { $known }
file-unknown-field-near = “{ $field }” 항목은 없습니다. “{ $near }” 항목을 뜻했습니까?
file-wrong-kind = { $field } 항목은 { $expected }
file-field = { $field }: { $problem }
file-figure = { $field }: “{ $given }” { $problem }
file-command-is-text = command 항목은 ["python3", "train.py"]처럼 낱말의 목록이어야 합니다. 셸에 줄 글은 script에 적으십시오
file-nothing-to-run = 실행할 것이 없습니다. command나 script를 적으십시오
file-tasks-min = tasks_min은 { $min }인데 tasks는 { $tasks }입니다. tasks_min을 tasks 이하로 적거나 빼십시오
file-two-to-run = command와 script를 함께 실행할 수는 없습니다
kind-table = 표여야 합니다
kind-quota = 수이거나 guaranteed, borrowable, maximum 표여야 합니다
fail-instant = { $option } 값이 { $given }입니다. 2026-12-01T09:00:00+09:00처럼 시각과 시차가 있는 날짜나, 6h처럼 지금부터의 시간을 주십시오.
kind-instant = 2026-12-01T09:00:00+09:00처럼 시각과 시차가 있는 날짜여야 합니다
file-missing = { $field } 항목이 없습니다
kind-text = 글이어야 합니다
kind-texts = 글의 목록이어야 합니다
kind-integer = 정수여야 합니다
kind-integer-in-range = 범위를 벗어난 정수입니다
kind-truth = true나 false여야 합니다
kind-figure = 수치여야 합니다
kind-ids = ["wl-12"]처럼 워크로드 id의 목록이어야 합니다
kind-array = "0-9"나 [1, 3, 7]처럼 색인 값이어야 합니다
kind-accelerators = 4나 "4:MI355X" 같은 개수이거나 count, share, slice, models의 표여야 합니다
kind-on-loss = “requeue”나 “fail”이어야 합니다
figure-not-a-number = 값은 수가 아닙니다. 보기: { $example }
figure-negative = 값이 0보다 작습니다. 보기: { $example }
figure-no-unit = 값에 단위가 없습니다. 보기: { $example }
figure-unknown-unit = 값의 단위 “{ $unit }”를 알 수 없습니다. 보기: { $example }
figure-too-large = 값이 너무 큽니다. 보기: { $example }
figure-too-fine = 값이 너무 잘게 나뉩니다. 보기: { $example }
array-malformed = “{ $given }”: 색인 값의 목록이 아닙니다. 보기: 0-9, 1,3,7, 0-100:10
array-limit = 동시 실행 수 제한(%)은 지원하지 않습니다. 빼십시오
array-twice = { $value } 값이 두 번 있습니다
array-too-long = 배열의 구성원은 { $max }개까지입니다
sbatch-unknown = #SBATCH { $option } 옵션은 지원하지 않습니다. 빼거나 달리 적으십시오
sbatch-unknown-near = #SBATCH { $option } 옵션은 없습니다. { $near } 옵션을 뜻했습니까?
sbatch-no-option = “{ $word }”: 옵션이 아닙니다. #SBATCH 옵션은 -나 --로 시작합니다
sbatch-no-value = { $option } 옵션에 값이 없습니다
sbatch-bad-value = { $option }={ $given }: { $expected }
sbatch-expected-number = 0보다 큰 정수여야 합니다
sbatch-expected-memory = 512, 4G, 100K 같은 크기여야 합니다(단위가 없으면 MiB)
sbatch-expected-time = 30, 30:00, 1:30:00, 2-12:00:00 같은 시간이어야 합니다
sbatch-expected-gres = gpu:4나 gpu:MI355X:4 같은 가속기여야 합니다
sbatch-expected-gpus = 4나 MI355X:4 같은 가속기여야 합니다
sbatch-dependency-kind = “{ $kind }” 의존은 지원하지 않습니다. afterok과 afterany를 쓸 수 있습니다
sbatch-dependency-id = “{ $id }”: 워크로드 id가 아닙니다. 보기: wl-12, 12
sbatch-dependency-any = “이 중 하나”(?)는 지원하지 않습니다. 모든 의존이 맞아야 합니다
sbatch-uneven-tasks = 태스크 { $total }개를 노드 { $parts }개에 고르게 나눌 수 없습니다
sbatch-uneven-gpus = 가속기 { $total }개를 태스크 { $parts }개에 고르게 나눌 수 없습니다
sbatch-tasks-per-node = 노드마다 태스크 { $spread }개가 있어야 하나 --ntasks-per-node 값이 더 작습니다
sbatch-too-many-tasks = 태스크가 셀 수 없이 많습니다
sbatch-gpus-twice = 가속기를 여러 방식으로 요청했습니다. 한 번만 적으십시오
sbatch-output = { $option }={ $file }: 출력은 공장이 보관합니다. “eaf logs”로 볼 수 있습니다
sbatch-below = 첫 명령보다 아래에 있는 줄이어서 효력이 없습니다(Slurm과 같음)

## 도움말. 명령과 인자의 글은 help.ftl에 있다.

help-usage = 사용법
help-commands = 명령
help-command = 명령
help-arguments = 인자
help-options = 옵션
help-help = 도움말을 출력합니다.
help-version = 버전을 출력합니다.
help-after = 환경 변수: EAF_URL은 다른 공장, EAF_TOKEN은 그 토큰, EAF_CA는 믿을 인증서(PEM)를 가리킵니다. EAF_DATA_DIR와 EAF_LANG은 --data-dir와 --lang을 대신하고, NO_COLOR는 색을 끕니다.
    {""}
    종료 코드: 0 정상 · 1 거절 또는 실패 · 2 사용법 · 3 답하는 공장 없음 · 4 토큰 틀림 · 5 찾을 수 없음 · 6 파일을 읽을 수 없음 · 7 검증 실패. “eaf run”은 명령의 코드로 끝납니다(“eaf run --help”).
help-run-after = 종료 코드: 명령의 코드. 시그널 N으로 끝나면 128 + N, 실행 시간 한도가 다 되면 124, 실행되지 않았거나 끝을 알 수 없으면 125, 시작할 수 없으면 126, 취소되면 130입니다.
    {""}
    보기: eaf run --cpu 2 --memory 1GiB -t 10m -- python3 train.py
help-submit-after = 셸 스크립트는 그대로 제출합니다. #SBATCH 줄의 nodes, ntasks, ntasks-per-node, cpus-per-task, mem, mem-per-cpu, gres, gpus, gpus-per-node, gpus-per-task, time, array, dependency, job-name, account, chdir, output, error를 알아듣고, 그 밖의 것은 이름과 줄을 밝혀 거절합니다.
help-up-after = TERM이나 Ctrl-C는 공장을 멈추고 실행 중인 작업은 그대로 둡니다. 다음 “eaf up”이 다시 찾아냅니다. “eaf down --stop-work”는 작업까지 끝냅니다. 공장이 스스로 끝날 때의 종료 코드: 73 디스크 가득 참, 74 저널 실패, 75 읽기 전용, 76 불변식 깨짐. 접수된 것은 하나도 잃지 않습니다.

## 여러 명령이 쓰는 말.

error-label = 오류
ago = { $span } 전
any-model = 아무 모델
pretended = { $accelerators } (가상)
request = CPU { $cpu }, { $memory }
held-of = { $all } 중 { $held } 사용

## 표의 머리.

head-id = ID
head-name = 이름
head-project = 프로젝트
head-state = 상태
head-since = 지난 시간
head-tasks = 태스크
head-cpu = CPU
head-memory = 메모리
head-accelerators = 가속기
head-reason = 이유
head-task = 태스크
head-node = 노드
head-nodes = 노드
head-attempt = 시도
head-granted = 배정 시각
head-ran = 실행
head-cpu-time = CPU 시간
head-memory-peak = 최대 메모리
head-checkpoint = 체크포인트
head-share = 몫
head-average = 평균
head-waiting = 대기
head-model = 모델
head-held = 보유
head-guaranteed = 보장
head-kept = 빌려주지 않음
head-maximum = 최대
head-ended = 끝

## 실패: 일어난 일과 다음에 할 일.

fail-no-factory = 이 기계에 켜진 공장이 없습니다
    .next = “eaf up”으로 켜거나 EAF_URL로 다른 공장을 지정하십시오. 찾아본 곳: { $looked }
fail-unreachable = { $url } 주소에서 답하는 공장이 없습니다
    .next = “eaf up”으로 켜거나 EAF_URL로 다른 공장을 지정하십시오.
fail-distrusted = { $url } 인증서를 믿을 수 없습니다
    .next = EAF_CA(PEM 파일)로 그 인증서나 서명한 기관의 인증서를 지정하십시오. 스스로 서명한 인증서에는 CA:FALSE가 있어야 합니다.
fail-not-this-api = { $url } 주소의 답({ $status })은 공장의 것이 아닙니다
    .next = EAF_URL이 이 버전의 공장을 가리키는지 확인하십시오.
fail-broken = { $url } 연결이 끊겼습니다
    .next = 다시 시도하십시오. 실행 중인 것은 계속됩니다.
fail-certificate = EAF_CA의 인증서가 PEM이 아닙니다
    .next = -----BEGIN CERTIFICATE-----로 시작하는 파일을 지정하십시오.
fail-url = “{ $url }”: 공장의 URL이 아닙니다
    .next = EAF_URL을 http://127.0.0.1:7070처럼 적으십시오.
fail-token-file = 토큰을 읽을 수 없습니다: { $path }
    .next = 공장을 운영하는 사람에게 토큰을 받아 EAF_TOKEN에 넣으십시오.
fail-output = 출력을 쓸 수 없습니다
fail-signals = 시그널을 지켜볼 수 없습니다
fail-read = 읽을 수 없습니다: { $path }
fail-write = 쓸 수 없습니다: { $path }
fail-not-an-id = “{ $given }”: 워크로드의 id가 아닙니다
    .next = id는 wl-12, 배열의 구성원은 wl-12.0처럼 생겼습니다. “eaf ps --all”로 목록을 볼 수 있습니다.
fail-not-an-event = “{ $given }”: 사건의 자리가 아닙니다
    .next = 12 같은 단계나 12.0 같은 사건을 적으십시오.
fail-not-a-head = “{ $given }”: 저널의 자리가 아닙니다
    .next = 영수증에 적힌 대로 STEP:HASH를 적으십시오. 보기: 12:9f86d081…
fail-figure = { $option }: “{ $given }” { $problem }
fail-pair = { $option }: “{ $given }” 값은 NAME=VALUE 형식이 아닙니다
fail-accelerators = --accelerators: “{ $given }” 값은 개수나 개수:모델이 아닙니다
    .next = 4, 4:MI355X, 1:MI300X|MI325X처럼 적으십시오.
fail-state = “{ $given }” 상태는 없습니다
    .next = 쓸 수 있는 상태: { $known }
fail-workload-file = { $place }: { $problem }
fail-policy-file = { $place }: { $problem }
fail-policy-refused = { $place }: { $detail }
policy-detail = { $detail }
policy-is-over = { $place }: { $until }에 이미 끝나 더는 아무것도 잡아 두지 않습니다.
policy-checked = 정책이 서로 맞고, 이 공장이 지킬 수 있습니다.
policy-checked-alone = 정책이 서로 맞습니다. 응답하는 공장이 없어 노드와 실행 중인 작업은 보지 않았습니다.
policy-same = 바뀌는 것이 없습니다.
policy-no-shares = 정책에 몫이 없습니다.
policy-without-share = (몫 없음)
policy-applied = 적용되었습니다.
    .next = 워크로드 파일은 docs/cli.md에 설명되어 있습니다. “eaf submit --dry-run FILE”로 파일이 요청하는 것을 볼 수 있습니다.
fail-file-too-large = { $path } 파일이 { $max }보다 큽니다
    .next = 데이터는 파일에 넣지 마십시오. 워크로드가 실행되는 곳에서 읽을 수 있습니다.
fail-no-node = “{ $given }” 노드가 없습니다
    .next = “eaf node list”로 노드를 볼 수 있습니다.
fail-cp-source = “{ $given }”: 어느 워크로드의 어느 파일인지 알 수 없습니다
    .next = wl-12:out/model.bin처럼 적으십시오. wl-12:.은 디렉터리 전체입니다.
fail-directory-to-output = { $path } 항목은 디렉터리여서 표준 출력으로 보낼 수 없습니다
    .next = 복사해 넣을 디렉터리를 적으십시오.
fail-directory-too-large = “{ $path }” 디렉터리에 항목이 너무 많거나 너무 깊습니다
    .next = 워크로드 안에서 파일 하나로 묶은 뒤 복사하십시오.
fail-no-key = 공개 키가 없습니다: { $path }
    .next = 공장의 공개 키를 --key에 글이나 파일로 적으십시오.
fail-key = “{ $given }”: 공개 키가 아닙니다
    .next = 공장의 키는 데이터 디렉터리의 keys/receipt.pub 파일입니다.
fail-receipt = 영수증을 검증하지 못했습니다
    .next = 공장에서 다시 받아(“eaf receipt show ID --json”) 키를 견주어 보십시오.
fail-journal-open = 열 수 있는 저널이 없습니다: { $path }
    .next = --data-dir로 데이터 디렉터리를 지정하십시오.
fail-journal = { $path } 저널을 검증하지 못했습니다
    .next = 디렉터리를 그대로 두고 백업에서 이어 가십시오(“eaf restore”).
fail-backup = { $from }에서 { $to }(으)로 복사하지 못했습니다
    .next = 남은 것은 없습니다. 위에 적힌 것을 바로잡고 다시 시도하십시오.
fail-restore = { $from }에서 { $to }(으)로 복원하지 못했습니다
    .next = 남은 것은 없습니다. 위에 적힌 것을 바로잡고 다시 시도하십시오.
fail-settings = { $place }: 설정을 읽을 수 없습니다
    .next = 모든 설정과 기본값은 examples/eaf.toml에 있습니다.
fail-detach = 공장을 뒤에서 켤 수 없습니다
fail-detached = 공장이 켜지지 않았습니다
    .next = 로그: { $path }
fail-detached-slow = 공장이 아직 켜지지 않았습니다. 프로세스 { $pid }(으)로 계속됩니다
    .next = 긴 저널은 시간이 걸립니다. 로그: { $path }
fail-still-stopping = 프로세스 { $pid }, 아직 끝나지 않았습니다
    .next = 로그를 보십시오. “kill { $pid }”로 다시 요청할 수 있습니다.
fail-supervise = 감독 프로세스가 끝났습니다

## eaf up.

up = 공장이 켜졌습니다: { $url }
up-data = 데이터      { $dir }
up-token = 토큰        { $path }
up-pretended = 가상 가속기 { $accelerators }: 실제로는 없는 가속기입니다
up-next = 다음        eaf run -- hostname · eaf ps · eaf node list · eaf down
up-settings = 설정 파일: { $path }
up-runs = 실행: { $name } ({ $id })
up-receipt = 영수증
up-stays = 공장은 { $url }에 켜져 있습니다. Ctrl-C는 공장을 멈추고 실행 중인 작업은 그대로 둡니다.
up-stays-after-failure = 그래도 공장은 { $url }에 켜져 있습니다. Ctrl-C로 멈춥니다.
up-stopped = 공장이 멈췄습니다.
start-needs-tls = { $address } 주소는 다른 기계에서 닿을 수 있으나 암호화가 없습니다
    .next = --tls-cert와 --tls-key를 주거나 --insecure-http로 평문 HTTP를 허락하십시오.
start-port-in-use = 포트 { $port } 번은 이미 쓰이고 있습니다
    .next = 공장이 이미 켜져 있을 수 있습니다(“eaf ps”). 다른 포트는 --port, 빈 포트는 --port 0입니다.
start-port-forbidden = 포트 { $port } 번은 이 사용자가 쓸 수 없습니다
    .next = --port로 1023보다 큰 포트를 쓰십시오.
start-no-such-address = { $address }: 이 기계의 주소가 아닙니다
    .next = --bind로 이 기계의 주소를 주십시오. 0.0.0.0은 모든 주소입니다.
start-bind = { $address } 주소에서 들을 수 없습니다
    .next = --bind와 --port로 다른 주소나 포트를 주십시오.
start-locked = { $dir }에 다른 공장이 켜져 있습니다
    .next = 그 공장을 쓰거나, “eaf down”으로 멈추거나, --data-dir로 다른 데이터 디렉터리를 쓰십시오.
start-open = { $dir } 저널을 열 수 없습니다
    .next = 위에 적힌 것을 바로잡거나 백업에서 이어 가십시오(“eaf restore”).
start-recover = { $dir } 저널을 다시 읽을 수 없습니다
    .next = 끊어진 곳은 “eaf verify”가 알려 줍니다. 디렉터리를 그대로 두고 백업에서 이어 가십시오(“eaf restore”).
start-site = 사이트 파일을 읽을 수 없습니다: { $path }
    .next = 위에 적힌 줄과 칸을 고치십시오.
start-tls = 인증서를 쓸 수 없습니다: { $path }
    .next = --tls-cert와 --tls-key로 PEM 인증서와 그 PEM 키를 주십시오.
start-engine = 엔진이 시작하지 않습니다
    .next = 위에 적힌 것을 바로잡으십시오. 엔진의 설정은 eaf.toml의 “engine”에 있습니다.
start-fatal = { $dir }에 첫 단계를 기록하지 못했습니다
    .next = 디스크를 확인하십시오. 접수된 것은 하나도 잃지 않았습니다.
start-setting = 설정 { $field } 값을 쓸 수 없습니다
    .next = { $which ->
        [array_max] 1에서 65,534까지여야 합니다.
        [grants_per_plan_max] 1에서 65,534까지여야 합니다.
        [shapes_per_plan_max] 1 이상이어야 합니다.
        [wall_time_default] 0보다 크고 timing.wall_time_max 이하여야 합니다.
        [stop_grace_default] timing.stop_grace_max 이하여야 합니다.
        [start_timeout] 0보다 커야 합니다.
        [mode_change_timeout] 0보다 커야 합니다.
        [h100_milli] 어떤 가속기도 H100 1,000,000개보다 값질 수 없습니다.
        [level_service] 0보다 커야 합니다.
        [level_ratio] 2 이상이어야 합니다.
        [holds] 1에서 64까지여야 합니다.
        [milligrams_per_kwh] 값이 288개(열두 달의 24시간)이거나 없어야 합니다.
       *[partitions] 모드마다 이름이 서로 다르고 자리가 1에서 32개여야 하며, 슬라이스는 그 안에 있고 합쳐서 가속기 하나를 넘지 않아야 합니다.
    }
start-other = 공장이 시작하지 않습니다
    .next = 위에 적힌 것을 바로잡고 다시 켜십시오.

## eaf down, run, ps, cancel, wait, cp, node, receipt, verify, backup, restore.

down = 공장이 멈췄습니다. 실행 중인 작업은 계속됩니다.
down-work-too = 공장과 그 작업이 모두 멈췄습니다.
run-cancelling = eaf: { $id } 취소 중. 한 번 더 누르면 두고 나갑니다
run-follows-some = eaf: 태스크 { $tasks }개 중 처음 { $max }개를 따라갑니다. 나머지는 “eaf logs --task N { $id }”로 볼 수 있습니다
ps-none = 그런 워크로드가 없습니다.
ps-none-live = 기다리거나 실행 중인 것이 없습니다. 끝난 것은 “eaf ps --all”로 볼 수 있습니다.
ps-more = { $shown }개를 보였고 더 있습니다(--limit).
cancel-done = { $id }  { $state }
cp-done = 파일 { $files }개({ $size }) 복사됨: { $to }
node-none = 아직 노드가 없습니다.
receipt-verified = 영수증이 온전합니다. 서명 키는 { $key }이고 모든 수치가 맞습니다.
receipt-unchecked = 검증하지 않음: 이 기계에 그 공장의 키가 없습니다. “eaf receipt verify --key KEY FILE”로 검증할 수 있습니다.
verify-whole = 저널이 온전합니다: { $steps }단계
verify-head = 끝
verify-anchor = 시작(이 단계 다음)
verify-replayed = 재생
verify-replayed-of = { $steps }단계 중 { $replayed }단계, 불변식 확인
verify-snapshots = 일치하는 스냅숏
verify-ended = 끝난 워크로드
verify-state = 상태의 요약값
verify-history = 기록의 요약값
backup-done = { $size } 복사됨: { $to }, 자리 { $head }
restore-done = 복원됨: { $to }. “eaf up”으로 이어 갑니다.

## 저널: 틀릴 수 있는 것.

journal-locked = 다른 프로세스가 { $path }에 쓰고 있습니다. 공장은 한 번에 하나만 쓸 수 있습니다.
journal-locked-by = 프로세스 { $pid }, { $path }에 쓰고 있습니다. 공장은 한 번에 하나만 쓸 수 있습니다.
journal-missing = { $path }에 저널이 없습니다.
journal-not-one = { $path }: eaf의 저널이 아닙니다.
journal-too-new = { $path } 형식은 { $found }인데 이 eaf는 형식 { $known }까지 읽습니다. 그것을 쓴 eaf나 더 새로운 eaf를 쓰십시오.
journal-damaged = { $path } 파일이 손상되어 { $step }단계까지만 읽을 수 있습니다.
journal-path = { $path }: 열 수 없습니다.
journal-store = 데이터베이스가 거절했습니다.
journal-broken = { $step }단계에서 끊어집니다: { $breach }.
journal-other-hash = { $step }단계의 해시는 { $found }인데 { $expected }여야 합니다.
journal-pruned = { $step }단계는 저널을 떠났습니다. 저널은 { $anchor }단계 다음부터 있습니다.
journal-invariant = { $step }단계가 불변식을 깹니다: { $violation }
journal-impossible = { $step }단계를 재생할 수 없습니다: { $why }
journal-snapshot = { $step }단계의 스냅숏이 그 단계의 상태와 다릅니다: { $why }
journal-no-snapshot = 저널이 { $anchor }단계 다음부터 있으나 시작할 스냅숏이 없습니다.
journal-history = { $workload } 기록이 { $step }단계가 끝낸 것과 다릅니다.
breach-hole = 거기 있는 것은 { $found }단계에서 시작합니다
breach-cut-off = { $known }단계가 있었다고 알려져 있으나 거기에는 아무것도 없습니다
breach-unreadable = 그 쪽을 읽을 수 없습니다
breach-cut-line = 그 줄이 잘렸습니다
breach-not-a-step = 그 줄은 이 형식의 단계가 아닙니다
breach-number = 그 줄은 스스로 { $found }단계라고 합니다
breach-length = 묶음은 { $stored }단계에서 끝난다고 하나 그 줄은 { $found }단계에서 끝납니다
breach-instant = 묶음의 시각이 마지막 단계의 시각과 다릅니다
breach-chain = { $last }단계까지의 바이트가 바뀌었습니다. 사슬은 { $computed }, 적힌 것은 { $stored }입니다
backup-not-empty = { $path }: 비어 있지 않습니다. 덮어쓰지 않습니다.
backup-path = { $path }: 복사할 수 없습니다.
backup-pruned = 복사하는 동안 저널이 거듭 정리되었습니다. 나중에 다시 시도하십시오.

## eaf show와 explain.

show-name = 이름
show-project = 프로젝트
show-reason = 이유
show-since = 상태 시작
show-deadline = 기한
show-ends-by = 마감 시각
show-submitted = 제출
show-by = 제출한 이
show-array-index = 색인 값
show-array = 구성원
show-runs = 실행
show-tasks = 태스크
show-tasks-min = 최소
show-tasks-per-node = 노드당 최대
show-each-task = 태스크마다
show-wall-time = 실행 시간 한도
show-priority = 우선순위
show-preemptible-loses = { $times ->
    [0] 다른 작업에 자리를 내줌
   *[other] 다른 작업에 자리를 내줌. 지금까지 { $times }번
}
show-preemptible-keeps = { $times ->
    [0] 다른 작업에 자리를 내주되 진행한 일은 남음
   *[other] 다른 작업에 자리를 내주되 진행한 일은 남음. 지금까지 { $times }번
}
show-preemptible = 선점 가능
show-retries = 재시도
show-losses = 잃은 시도
show-after-ok = 성공 뒤에
show-after-any = 끝난 뒤에
show-checkpoint = 마지막 체크포인트
show-not-before = 이 시각 이후
show-directory = 디렉터리
show-environment = 환경 변수
show-labels = 레이블
show-fabric = 패브릭
show-cpu = CPU
show-memory = 메모리
show-mode = 가속기 { $index }번
node-mode = { $mode }, { $state }
node-mode-why = { $mode }, { $state }: { $why }
node-mode-to = { $mode }, { $state }: { $to } 모드로
show-accelerators = 가속기
show-now = 지금: 시도 { $attempt }, 리스 { $lease }
show-attempts = 지난 시도
task-ordered = 지시됨
task-accepted = 접수됨
task-started = 시작됨
task-exited = 종료됨
task-abandoned = 포기됨
task-ended = 태스크 { $task }: { $exit }
explain-nodes = 노드 { $total }개 중 { $fitting }개가 지금 태스크를 받을 수 있습니다.
explain-nodes-several = 나머지 가운데 다음 여러 가지가 모자란 노드도 있습니다.
explain-made-room = 다른 워크로드에 { $times }번 자리를 내주었고, 그 때문에 잃은 가속기 시간은 { $lost }입니다.
explain-ahead = { $ahead ->
    [0] 앞선 워크로드가 없습니다.
   *[other] 앞선 워크로드가 { $ahead }개 있습니다.
}
explain-ahead-by-share = { $ahead ->
    [0] 같은 프로젝트에 앞선 워크로드가 없습니다. 프로젝트 사이에서는 몫에 따라 차례가 정해집니다.
   *[other] 같은 프로젝트이거나, 시작 시각을 먼저 약속받았거나, 너무 오래 기다려 앞선 워크로드가 { $ahead }개 있습니다. 프로젝트 사이에서는 몫에 따라 차례가 정해집니다.
}
explain-checkpoint = { $at }({ $ago })의 체크포인트에서 이어 갈 수 있습니다.
explain-no-checkpoint = 알린 체크포인트가 없습니다(eaf checkpoint).
explain-would-start = 다음과 같이 바꾸면 지금 시작합니다.
explain-gives-up = { $at }({ $span } 뒤)까지 시작하지 못하면 그만둡니다.
explain-start = { $at }({ $span } 뒤)까지는 시작할 것으로 보입니다.
explain-start-half = { $at }({ $span } 뒤)까지 시작할 가능성이 반입니다.
explain-start-ninety = 열에 아홉은 { $at }({ $span } 뒤)까지 시작합니다.
explain-start-tail-unknown = 얼마나 늦어질 수 있는지는 말할 수 없습니다. 일부 모의 실행이 거기까지 이르지 못했습니다.
explain-start-not-before = { $at }({ $span } 뒤) 전에는 시작하지 않을 것입니다. 모의 실행이 정해진 한도 안에서 더 나아가지 못했습니다.
explain-start-unknown = 언제 시작할지 알 수 없습니다.
explain-start-stops = 그때까지 실행 중인 워크로드 { $stops }개가 자리를 내주려고 중지됩니다.
explain-basis-wall-times = 모든 작업이 실행 시간 한도를 다 쓰고, 새로 들어오는 것과 고장이 없다고 보았습니다.
explain-basis-learned = 모의 실행 { $runs }번의 결과입니다. 작업이 앞선 시도 { $attempts }번만큼 걸리고, 새로 들어오는 것과 고장이 없다고 보았습니다.

## eaf checkpoint.

fail-checkpoint-outside = 태스크 안이 아닙니다. EAF_CHECKPOINT 변수가 없습니다
    .next = 태스크가 체크포인트를 쓴 뒤 “eaf checkpoint”를 부릅니다. EAF_CHECKPOINT는 그 환경에 있습니다.
fail-checkpoint-label = 설명이 { $max }자보다 깁니다
    .next = 줄이십시오.

## eaf submit --what-if.

planned-starts = 지금 시작할 것입니다. 노드:
planned-starts-of = { $workloads }개 중 { $starting }개가 지금 시작할 것입니다. 첫째의 노드:
planned-tasks = { $node }: 태스크 { $tasks }개
planned-waits = 기다릴 것입니다.
planned-next = 그다음 것은 기다릴 것입니다.
planned-last = 마지막 것은:

## eaf events.

event-configured = 설정이 적용됨
event-policy-applied = { $by }이(가) 정책을 적용함
event-windows-moved = 정책의 기간: 시작 { $begun }, 끝 { $over }
event-node-added = 노드 참여: { $node } ({ $name })
event-node-changed = 노드 구성 바뀜: { $node }
event-node-lost = 노드 연락 끊김: { $node }, { $why }
event-node-given-up = 노드가 제때 돌아오지 않아 그 작업을 포기함: { $node }
event-node-back = 노드 돌아옴: { $node }
event-node-cordoned = 노드 배정 중지: { $node }, { $why }
event-node-uncordoned = 노드 배정 재개: { $node }
event-mode-draining = 가속기 비우는 중: { $node } 노드 { $boards }, { $workload } 위해 { $mode } 모드로
event-mode-kept = 가속기 그대로 배정 재개: { $node } 노드 { $boards }
event-mode-ordered = 가속기 모드 바꾸는 중: { $node } 노드 { $boards }, { $mode }
event-mode-verified = 가속기 모드 확인됨: { $node } 노드 { $boards }, { $mode }
event-mode-failed = 가속기 사용 중지: { $node } 노드 { $boards }, { $why }
event-node-removed = 노드 떠남: { $node }
event-workload-submitted = { $workload } ({ $name }) 제출됨: { $by }
event-array-submitted = { $workload } ({ $name }) 배열 { $members }개 제출됨: { $by }
event-fleet-valued = 배치를 위해 빈 용량의 가치를 다시 매겼습니다: 가속기 { $capacity }개 중 { $free }개가 비어 있음
event-lease-granted = { $workload }: { $lease } 배정됨, { $nodes }
event-task-accepted = { $lease } 태스크 { $task }: 접수됨
event-task-started = { $lease } 태스크 { $task }: 시작됨
event-task-used = { $lease } 태스크 { $task }: 계량됨
event-task-checkpointed = { $lease } 태스크 { $task }: 체크포인트를 씀
event-task-checkpointed-label = { $lease } 태스크 { $task }: 체크포인트를 씀, { $label }
event-task-exited = { $lease } 태스크 { $task }: { $exit }
event-task-abandoned = { $lease } 태스크 { $task }: 노드와 함께 포기됨
event-abandoned-task-gone = { $lease } 태스크 { $task }: 포기된 뒤 사라짐
event-lease-stopping = { $lease } 중지 지시: { $reason }
event-lease-closed = { $lease } 끝남
event-workload-requeued = { $workload } 다시 대기: { $reason }
event-workload-eligible = { $workload } 다시 시작할 수 있음
event-service-level-reached = { $workload } 받은 서비스 등급: { $level }
event-lease-evictable = { $lease } 다른 작업에 자리를 내줄 만큼 오래 실행됨
event-workload-preempted = { $workload } 자리를 { $by } 실행에 내주고 원래 순서에서 기다림
event-workload-promised = { $workload } 늦어도 { $at }에 시작함
event-workload-passed = { $workload } 그 뒤에 시작 시각을 약속받은 작업보다 뒤로 감
event-workload-aged = { $workload } 오래 기다려 다른 작업보다 먼저 시작함
event-workload-ended = { $workload } { $state }: { $reason }

## 명령줄 자체.

usage-unknown-argument = “{ $arg }” 인자는 쓸 수 없습니다
usage-unknown-verb = “{ $verb }” 명령은 없습니다
usage-missing-argument = 인자가 빠졌습니다: { $arg }
usage-missing-verb = 명령이 빠졌습니다
usage-missing-value = “{ $arg }” 인자에 값이 없습니다
usage-bad-value = “{ $arg }” 인자에 “{ $value }” 값은 쓸 수 없습니다
usage-conflict = “{ $arg }” 인자와 “{ $other }” 인자는 함께 쓸 수 없습니다
usage-too-many-values = “{ $arg }” 인자에 값이 너무 많습니다
usage-not-utf8 = UTF-8이 아닌 인자가 있습니다
usage-other = 명령줄을 알아들을 수 없습니다
usage-near = 혹시: { $near }
usage-values = 쓸 수 있는 값: { $values }
usage-help = 도움말: --help
