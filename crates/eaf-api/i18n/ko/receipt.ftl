# 사람이 읽는 영수증과, 영수증을 받아들이지 않는 까닭.

receipt-title = { $id } 영수증 ({ $name })
receipt-pretended = 가상 가속기: 시험용 공장이며, 그런 장비는 실제로 돌지 않았습니다.
receipt-factory = 공장
receipt-project = 프로젝트
receipt-by = 제출자
receipt-state = 상태
receipt-submitted = 제출
receipt-ended = 종료
receipt-journal = 저널
receipt-key = 키
receipt-fingerprint = 지문
receipt-signature-value = 서명
receipt-attempt = 시도 { $attempt } ({ $lease })
receipt-span = { $started } ~ { $ended }, 가격표 { $book }
receipt-never-started = 모든 태스크가 시작되지는 않았습니다
receipt-checkpoint = { $at } 체크포인트에서 이어 갈 수 있음
receipt-task = 태스크 { $rank }, 노드 { $node }: { $exit }
receipt-tasks = 태스크 { $first }~{ $last }, 노드 { $node }: { $exit }
receipt-attempt-pretended = 가속기는 가상입니다
receipt-total = 합계
receipt-preempted-kept = { $by } 실행에 자리를 내줌. 진행한 일은 남아 있습니다
receipt-preempted-lost = { $by } 실행에 자리를 내줌. 그 때문에 잃은 가속기 시간: { $lost }
receipt-waiver-never-started = 청구 없음: 시작되지 않았습니다
receipt-waiver-factory-fault = 청구 없음: 공장의 장애로 잃었습니다

# 항목 이름의 끝부분에 따른 이름표.
receipt-figure-wall = 점유 시간
receipt-figure-cpu-time = 사용한 CPU 시간
receipt-figure-memory-peak = 메모리 최대 사용량
receipt-figure-accelerator-busy = 가속기 가동 시간
receipt-figure-energy = 장비 에너지
receipt-figure-energy-counter = 계측기로 잰 에너지
receipt-figure-energy-cpu = CPU 에너지
receipt-figure-energy-memory = 메모리 에너지
receipt-figure-energy-accelerator = { $model } 에너지
receipt-figure-site-energy = 시설 몫을 더한 에너지
receipt-figure-carbon = 탄소 (CO2 환산)
receipt-figure-charge-cpu = CPU 요금
receipt-figure-charge-memory = 메모리 요금
receipt-figure-charge-accelerator = { $model } 요금
receipt-figure-waived = 면제
receipt-figure-equivalent = H100 환산
receipt-figure-equivalent-accelerator = H100 환산, { $model }
receipt-figure-price = 가격 (세전)

receipt-won = { $won }원
receipt-basis-measured = 측정
receipt-basis-estimated = 추정
receipt-unknown = 알 수 없음
receipt-unknown-no-counter = 계측기가 없습니다
receipt-unknown-no-power-figure = 전력 모델에 값이 없습니다
receipt-unknown-no-exchange-rate = 공표된 환산율이 없습니다
receipt-unknown-no-pue = 시설 몫을 알 수 없습니다
receipt-unknown-no-carbon-profile = 탄소 프로파일이 없습니다
receipt-unknown-made-from-unknown = 알 수 없는 값으로 만든 항목입니다
receipt-unknown-out-of-range = 값이 너무 큽니다

# 영수증을 받아들이지 않는 까닭.
receipt-too-large = 파일이 { $bytes }바이트입니다. 영수증은 최대 { $max }바이트입니다.
receipt-not-utf8 = { $line }행: UTF-8 글이 아니므로 서명된 그대로의 영수증이 아닙니다.
receipt-no-seal = { $line }행: { $field } 항목이 없거나 잘렸거나 공장이 쓰는 꼴이 아닙니다. 영수증 전체를 다시 받으십시오.
receipt-foreign-key = { $line }행: seal.key는 { $stated }인데, 기대한 키는 { $pinned }입니다. 이 공장의 영수증이 아니거나, --key가 다른 공장을 가리킵니다.
receipt-changed = { $line }행: { $field } 항목이 서명된 뒤에 바뀌었습니다.
receipt-changed-figure = { $line }행: { $field } 항목이 서명된 뒤에 바뀌었습니다. { $mismatch }.
receipt-seal-changed = { $line }행: { $field } 항목이 바뀌었습니다. 나머지는 서명된 그대로입니다.
receipt-signature = { $line }행: seal.signature는 이 영수증에 대한 그 키의 서명이 아닙니다.
receipt-malformed = { $line }행: { $problem }
receipt-not-canonical = { $line }행: { $field } 항목이 공장이 쓰는 꼴이 아닙니다.
receipt-formula = { $line }행: { $figure } 항목의 식에 값이 없습니다: { $formula }.
receipt-does-not-add-up = { $line }행: { $mismatch }.
receipt-mismatch = { $figure } 항목은 { $stated }(으)로 적혀 있으나 계산하면 { $recomputed }입니다

# 영수증에 서명할 키가 없는 까닭.
receipt-key-io = { $path }: 작업하지 못했습니다 ({ $doing }): { $why }.
receipt-key-not-a-key = { $path } 파일은 영수증 키가 아닙니다. 백업에서 되살리거나, 다른 곳으로 옮기면 새로 만들어집니다.
receipt-key-exposed = { $path } 파일의 모드가 { $mode }이라 다른 사용자가 읽을 수 있습니다. chmod 600을 하고, 누가 읽었을지 모르면 키를 바꾸십시오.
receipt-key-randomness = 시스템이 영수증 키를 만들 난수를 주지 않습니다: { $why }.
receipt-key-not-public = 영수증 키가 아닙니다. receipt.pub처럼 base64 44자가 필요합니다.
