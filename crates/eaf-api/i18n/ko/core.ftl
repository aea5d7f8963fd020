# 상태, 이유, 막힘, 검사, 종료, 거절: 코드마다 메시지 하나.

# 워크로드의 상태.
state-queued = 대기
state-granted = 배정됨
state-starting = 시작 중
state-running = 실행 중
state-stopping = 멈추는 중
state-finished = 완료
state-failed = 실패
state-cancelled = 취소됨
state-expired = 기한 지남

# 노드의 상태.
node-state-ready = 준비됨
node-state-cordoned = 배정 중지
node-state-lost = 연락 끊김

# 태스크가 끝난 방식.
exit-code = 종료 코드 { $code }
exit-signal = 시그널 { $signal }({ $name })로 종료
exit-out-of-memory = 받은 것보다 많은 메모리를 씀
exit-cannot-start = 시작할 수 없음: { $why }
exit-lost = 잃음: { $why }

# 워크로드가 그 상태인 이유.
reason-waiting-for-capacity = 자원이 나기를 기다림
reason-waiting-for-dependencies = 워크로드 { $pending }개가 끝나기를 기다림
reason-retry-after-failure = 다시 시도할 예정. 지난 시도: { $exit }
reason-retry-after-loss = 다시 시도할 예정. 지난 시도를 잃음: { $why }
reason-waiting-after-preemption = { $by } 실행에 자리를 내주고 원래 순서에서 기다림
reason-preempted = { $by } 실행에 자리를 내줌
reason-placed = 자리가 정해졌고 엔진에 지시함
reason-tasks-starting = 태스크 { $of }개 중 { $started }개 시작됨
reason-tasks-started = 모든 태스크가 시작됨
reason-cancel-requested = 취소 요청: { $by }
reason-wall-time-reached = 실행 시간 한도가 다 됨
reason-start-timed-out = 제때 시작하지 못한 태스크가 있음
reason-task-failed = 태스크 { $task }: { $exit }
reason-node-lost = 노드 연락이 끊김: { $node }
reason-lost = 잃음: { $why }
reason-dependency-failed = 앞서 끝나야 할 { $workload } 실행이 성공하지 못함
reason-did-not-start-in-time = 제때 시작하지 못함
reason-deadline-out-of-reach = 마감 시각까지 더는 끝날 수 없음
reason-all-tasks-exited-zero = 모든 태스크가 0으로 끝남

# 기다리는 워크로드가 아직 자리를 얻지 못한 까닭.
blocker-dependencies = 먼저 끝나야 할 워크로드 { $pending }개: { $workloads }
blocker-backoff = 다음 시도는 { $until } 이후입니다.
blocker-capacity = { $wanted ->
    [1] 지금 남은 자원이 모자라 받을 수 있는 노드가 없습니다.
   *[other] 지금 남은 자원이 모자랍니다. 태스크 { $wanted }개 중 { $placeable }개만 자리가 있으며, 모두 함께 시작해야 합니다.
}
blocker-mode-draining = { $node } 노드의 가속기가 새 작업을 받지 않고, 비는 대로 이 작업을 위해 { $mode } 모드가 됩니다. 예상 { $until }.
blocker-mode-change = { $node } 노드의 가속기를 이 작업을 위해 { $mode } 모드로 바꾸고 있습니다. 예상 { $until }.
blocker-share = { $share } 몫은 지금 시작하는 것까지 { $model } { $held }개를 쓰고, { $limit }개까지 쓸 수 있습니다.
blocker-share-kept = 남은 { $model }은(는) 빌려주지 않는 몫을 위해 비워 둡니다. { $held }개를 쓰고 있고, { $limit }개까지 쓸 수 있습니다.
blocker-share-too-small = { $share } 몫은 { $model }을(를) 많아야 { $limit }개까지 쓸 수 있는데 { $wanted }개를 요청했으므로 결코 시작할 수 없습니다. 몫의 최대를 올리거나, 취소하고 더 적게 요청하십시오.
blocker-share-too-small-kept = 다른 몫이 빌려주지 않는 { $model }을(를) 빼면 많아야 { $limit }개인데 { $wanted }개를 요청했으므로 결코 시작할 수 없습니다. 빌려주는 수를 바꾸거나, 취소하고 더 적게 요청하십시오.
blocker-reserved = 자리는 있으나, 끝나기 전에 노드 { $nodes }개가 다른 프로젝트나 점검에 잡혀 있습니다. 가장 먼저 끝나는 기간은 { $until }까지입니다.
blocker-planned = 노드를 잃거나 더 급한 작업이 들어오지 않는 한, 늦어도 { $at }에 시작합니다.
blocker-planned-about = { $at }에 시작할 예정이나 바뀔 수 있습니다. 늦어도 언제 시작한다는 약속은 대기열 맨 앞의 작업에만 합니다.
blocker-planned-until = { $at }에 시작할 예정이며, 노드를 잃거나 더 급한 작업이 들어오지 않는 한 늦어도 { $latest }에 시작합니다.
blocker-hold = 지금 자리는 있으나, { $at } 시작 예정인 { $workload } 실행을 늦출 수 있습니다.
blocker-preemption = { $workloads ->
    [0] 다른 워크로드가 자리를 내주려고 멈추는 중입니다.
   *[other] 곧 워크로드 { $workloads }개가 자리를 내주려고 멈춥니다.
}
blocker-next-pass = 자리가 있고 다음 차례입니다.
blocker-short = 모자란 것: { $what }
blocker-scattered = 맞는 가속기가 모두 { $free }개 남아 있고 필요한 것은 { $wanted }개이지만, 노드마다 수가 모자라거나 다른 것이 모자라 흩어져 있습니다.
blocker-nodes-not-ready = 준비되지 않은 노드(배정 중지 { $cordoned }개, 연락 끊김 { $lost }개)까지 있어야 실행할 수 있습니다. 되살리거나, 취소하고 더 적게 요청하십시오.
blocker-fleet-too-small = 이곳의 노드로는 결코 실행할 수 없습니다. 노드를 더하거나, 취소하고 더 적게 요청하십시오.

# 모자란 것.
short-cpu = CPU 스레드
short-memory = 메모리
short-accelerators = 가속기
short-accelerator-model = 지정한 모델의 가속기
short-tasks-per-node = 노드(한 노드에 둘 수 있는 태스크 수가 적음)

# 무엇을 바꾸면 지금 시작하는지.
change-fewer-tasks = 태스크를 { $tasks }개 이하로
change-fewer-accelerators = 태스크마다 가속기를 { $count }개 이하로
change-smaller-share = 가속기 몫을 { $share } 이하로
change-less-cpu = 태스크마다 CPU를 { $cpu } 이하로
change-less-memory = 태스크마다 메모리를 { $memory } 이하로
change-other-models = 다른 모델의 가속기로: { $models }
change-any-tasks-per-node = 한 노드에 두는 태스크 수를 제한하지 않고
change-shorter-wall-time = 실행 시간 한도를 { $span } 이하로

# 노드가 통과하지 못한 검사.
test-cordoned = 배정 중지
test-lost = 연락 끊김
test-accelerator-model = 맞는 모델의 가속기 없음
test-cpu = 남은 CPU 부족
test-memory = 남은 메모리 부족
test-mode = 그렇게 나뉘어 작업을 받는 가속기 없음
test-accelerators = 남은 가속기 부족
test-reserved = 실행할 시간에 다른 곳에 잡혀 있음

# 항목이 틀린 까닭.
field-empty = { $field } 값이 비어 있습니다.
field-too-small = { $field } 값이 { $given }입니다. 최솟값은 { $min }입니다.
field-too-large = { $field } 값이 { $given }입니다. 최댓값은 { $max }입니다.
field-twice = { $field } 안에 같은 것이 두 번 있습니다: { $what }
field-malformed = { $field } 형식이 틀렸습니다. 맞는 형식: { $expected }
field-conflicts = { $field } 항목은 { $with } 항목과 함께 쓸 수 없습니다.

# 요청이 받아들여지지 않은 까닭: 제목, 일어난 일, 다음에 할 일.
rejection-invalid = 잘못된 항목이 있습니다
    .next = { $field } 값을 고쳐 다시 보내십시오.
rejection-never-fits = 어떤 노드에도 들어갈 수 없습니다
    .detail = 다른 것이 전혀 실행되지 않아도 이 요청은 실행할 수 없습니다. { $largest }
    .next = 더 적게 요청하거나 노드를 늘리십시오.
fit-tasks = 이런 태스크는 동시에 { $tasks }개까지 들어갑니다.
fit-alone = 나머지가 그대로일 때 태스크 하나가 가질 수 있는 최대는 다음과 같습니다: { $most }.
fit-cpu = CPU { $most }
fit-memory = 메모리 { $most }
fit-accelerators = 가속기 { $most }개
fit-several = 한 가지가 넉넉한 노드마다 다른 것이 모자랍니다.
rejection-model-unknown = 그런 가속기가 있는 노드가 없습니다
    .detail = 요청한 모델: { $models }. 이곳에 있는 모델: { $offered }.
    .none = 가속기를 요청했지만 이곳에는 가속기가 하나도 없습니다.
    .next = 있는 것으로 요청하거나 노드를 늘리십시오.
rejection-no-nodes = 아직 노드가 없습니다
    .detail = 무엇이든 실행할 수 있는 노드가 하나도 없습니다.
    .next = 노드가 발견될 때까지 기다리거나 사이트 파일에 노드를 적으십시오. “eaf node list”로 볼 수 있습니다.
rejection-deadline-too-soon = 마감 시각까지 끝날 수 없습니다
    .detail = 곧바로 시작해도 { $earliest }까지 실행할 수 있고, 마감 시각은 { $deadline }입니다.
    .next = 실행 시간 한도를 줄이거나 더 늦은 마감 시각을 주십시오.
rejection-queue-full = 대기열이 가득 찼습니다
    .detail = 살아 있는 워크로드가 한도인 { $max }개에 이르렀습니다.
    .next = 일부가 끝난 뒤 다시 시도하거나 limits.live_workloads_max 값을 올리십시오.
rejection-key-reused = 다른 요청에 쓰인 키입니다
    .detail = 이 멱등 키는 내용이 다른 { $workload } 요청에 쓰였습니다.
    .next = 이 요청에는 새 키를 쓰십시오.
rejection-unknown-workload = 그런 워크로드가 없습니다
    .detail = 살아 있는 워크로드 가운데 { $workload } 항목이 없습니다.
    .next = “eaf ps --all”로 목록을 볼 수 있습니다.
rejection-unknown-dependency = 없는 워크로드에 의존합니다
    .detail = { $workload } 워크로드가 없고 기록에도 없습니다.
    .next = 의존 관계를 고치십시오. “eaf ps --all”로 목록을 볼 수 있습니다.
rejection-dependency-failed = 성공하지 못한 워크로드에 의존합니다
    .detail = { $workload } 상태가 이미 “{ $state }”이므로 이 워크로드는 결코 시작할 수 없습니다.
    .next = { $workload } 워크로드를 다시 실행해 새 id에 의존하거나, 끝난 방식을 따지지 않는 after_any를 쓰십시오.
rejection-already-stopping = 이미 멈추는 중입니다
    .detail = { $workload } 워크로드에는 이미 중지를 지시했습니다. 종료가 확인될 때까지 자원을 쥐고 있습니다.
    .next = “eaf wait { $workload }”로 끝날 때까지 기다릴 수 있습니다.
rejection-unknown-node = 그런 노드가 없습니다
    .detail = 노드 { $node } 항목이 없습니다.
    .next = “eaf node list”로 노드를 볼 수 있습니다.
rejection-node-unchanged = 노드가 이미 그 상태입니다
    .detail = 노드 { $node }에는 바꿀 것이 없습니다.
    .next = “eaf node show { $node }”로 상태를 볼 수 있습니다.
rejection-node-holds-more = 노드의 작업이 남을 자원보다 많이 쥐고 있습니다
    .detail = 노드 { $node }에 아직 리스 { $leases }개가 있습니다.
    .next = 배정을 중지하고(cordon) 실행 중인 것이 끝난 뒤 다시 시도하십시오.
rejection-too-many-nodes = 노드가 너무 많습니다
    .detail = 노드는 { $max }개까지 받을 수 있습니다.
    .next = limits.nodes_max 값을 올리거나 노드를 줄이십시오.
rejection-stale-report = 지난 시도의 보고입니다
    .detail = 리스 { $lease }: 끝났거나 없는 것이어서 아무것도 바꾸지 않습니다.
    .next = 할 일이 없습니다.
rejection-slice-unknown = 그런 조각은 없습니다
    .detail = { $model } 모델에는 { $slice } 조각이 없습니다. 있는 것: { $offered }.
    .anywhere = { $slice } 조각이 있는 모델이 없습니다. 있는 것: { $offered }.
    .next = 있는 것 가운데 요청하거나, 다른 모델을 적거나, 설정의 partitions에 더하십시오.
rejection-mode-unknown = 그런 모드는 없습니다
    .detail = { $model } 모델에는 { $mode } 모드가 없습니다. 있는 것: { $offered }.
    .next = 있는 것 가운데 지시하십시오.
rejection-accelerator-busy = 가속기가 비어 있지 않습니다
    .detail = { $node } 노드의 가속기 { $accelerator }번을 쥔 작업이 있거나 이미 모드를 바꾸고 있습니다.
    .next = 노드 배정을 중지하고 작업이 끝난 뒤 다시 시도하십시오. “eaf node show { $node }” 명령이 상태를 보입니다.
rejection-stale-mode-report = 지난 지시의 보고입니다
    .detail = { $node } 노드에 이 보고를 기다리는 모드 변경이 없어 아무것도 바꾸지 않습니다.
    .next = 할 일이 없습니다.
rejection-time-went-back = 시계가 뒤로 갔습니다
    .detail = 마지막 단계의 시각은 { $last }인데 지금은 { $now }입니다.
    .next = 기계의 시계를 바로잡으십시오. 마지막 단계의 시각을 지나면 다시 움직입니다.
rejection-policy-invalid = 이 정책은 적용할 수 없습니다
    .next = 고치십시오. 바뀐 것은 없습니다.
policy-too-many = { $place }에 { $given }개가 있고, 최대 { $max }개까지 됩니다.
policy-name = { $place }는 이름이 아닙니다. a-z, 0-9, - 1~63자이고 글자나 숫자로 시작해야 합니다.
policy-zero = { $place } 값은 비거나 0일 수 없습니다.
policy-no-such-share = { $place }에 적힌 몫 { $name }이(가) 정책에 없습니다.
policy-cycle = { $place } 때문에 몫이 자기 자신의 일부가 됩니다: { $through }.
policy-too-deep = { $place } 깊이가 몫 { $max }단계를 넘습니다.
policy-above-the-whole = { $place }까지 합하면 보장된 { $model }이(가) 모두 { $parts }개인데 전체는 { $whole }개입니다.
policy-above = { $place } 값이 { $given }이고, 최대는 { $max }입니다.
policy-twice = { $place } 안에 노드 { $node }이(가) 두 번 있습니다.
policy-over = { $place }는 시작하기 전에 끝납니다.
policy-no-such-model = { $place }: 가속기 { $model }이(가) 있는 노드가 없습니다.
policy-no-such-node = { $place }에 적힌 노드 { $name }이(가) 없습니다.
policy-overlaps = { $place }: { $node } 노드는 같은 시간에 { $with }에도 잡혀 있습니다.
policy-occupied = { $place }: { $workload } 작업이 { $node }에서 { $until }까지 실행될 수 있어 기간과 겹칩니다. 시작을 늦추거나 다른 노드를 쓰거나 작업을 취소하십시오.

rejection-settings-invalid = 설정이 서로 맞지 않습니다
    .detail = { $field } 값을 그대로 쓸 수 없습니다.
    .next = 설정에서 { $field } 값을 고치십시오.

# 가속기가 두 모드 사이의 어디에 있는가.
mode-state-settled = 적용됨
mode-state-draining = 새 작업 없이 비기를 기다림
mode-state-changing = 바꾸는 중
mode-state-out-of-service = 사용 중지

# 있는 것이 없을 때.
none-offered = 없음
