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
file-two-to-run = command와 script를 함께 실행할 수는 없습니다
kind-table = 표여야 합니다
kind-text = 글이어야 합니다
kind-texts = 글의 목록이어야 합니다
kind-integer = 정수여야 합니다
kind-integer-in-range = 범위를 벗어난 정수입니다
kind-figure = 수치여야 합니다
kind-ids = ["wl-12"]처럼 워크로드 id의 목록이어야 합니다
kind-array = "0-9"나 [1, 3, 7]처럼 색인 값이어야 합니다
kind-accelerators = 4나 "4:MI355X" 같은 개수이거나 count, share, models의 표여야 합니다
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
