# What the command line says.

## Files: what is wrong with them. They follow the name of the file and the line.

file-not-utf8 = the file is not UTF-8 text
file-syntax = this is not well-formed: { $what }
file-unknown-field = there is no field “{ $field }”; the fields are: { $known }
file-unknown-field-near = there is no field “{ $field }”; did you mean “{ $near }”?
file-wrong-kind = { $field } { $expected }
file-field = { $field }: { $problem }
file-figure = { $field }: “{ $given }” { $problem }
file-command-is-text = command must be a list of words, such as ["python3", "train.py"]; a line for the shell goes into script
file-nothing-to-run = nothing is to be run: give a command or a script
file-tasks-min = tasks_min is { $min } and tasks is { $tasks }: give at most as many, or leave tasks_min out
file-two-to-run = a command and a script cannot both be run
kind-table = must be a table
kind-quota = must be a number, or a table of guaranteed, borrowable and maximum
fail-instant = { $option } is { $given }: give a date with a time and an offset, such as 2026-12-01T09:00:00+09:00, or a span from now, such as 6h.
kind-instant = must be a date with a time and an offset, such as 2026-12-01T09:00:00+09:00
file-missing = { $field } is missing
kind-text = must be a text
kind-texts = must be a list of texts
kind-integer = must be a whole number
kind-integer-in-range = is a whole number that is out of range
kind-truth = must be true or false
kind-figure = must be a figure
kind-ids = must be a list of workload ids, such as ["wl-12"]
kind-array = must be index values, such as "0-9" or [1, 3, 7]
kind-accelerators = must be a count, such as 4 or "4:MI355X", or a table of count, share, slice and models
kind-on-loss = must be “requeue” or “fail”
figure-not-a-number = is not a number; write it like { $example }
figure-negative = is below zero; write it like { $example }
figure-no-unit = has no unit; write it like { $example }
figure-unknown-unit = has an unknown unit, “{ $unit }”; write it like { $example }
figure-too-large = is too large; write it like { $example }
figure-too-fine = is finer than what is kept; write it like { $example }
array-malformed = “{ $given }” is not a list of index values, such as 0-9, 1,3,7 or 0-100:10
array-limit = a limit on how many run at once (%) is not supported; leave it out
array-twice = { $value } is named twice
array-too-long = an array has at most { $max } members
sbatch-unknown = #SBATCH { $option } is not supported; remove it, or say it otherwise
sbatch-unknown-near = #SBATCH { $option } is not known; did you mean { $near }?
sbatch-no-option = “{ $word }” is no option; #SBATCH options begin with - or --
sbatch-no-value = { $option } needs a value
sbatch-bad-value = { $option }={ $given }: expected { $expected }
sbatch-expected-number = a whole number above zero
sbatch-expected-memory = a size, such as 512, 4G or 100K (a number alone is in MiB)
sbatch-expected-time = a time, such as 30, 30:00, 1:30:00 or 2-12:00:00
sbatch-expected-gres = accelerators, such as gpu:4 or gpu:MI355X:4
sbatch-expected-gpus = accelerators, such as 4 or MI355X:4
sbatch-dependency-kind = the dependency “{ $kind }” is not supported; afterok and afterany are
sbatch-dependency-id = “{ $id }” is not a workload id; expected something like wl-12 or 12
sbatch-dependency-any = “any of these” (?) is not supported; all dependencies must hold
sbatch-uneven-tasks = { $total } tasks cannot be spread evenly over { $parts } nodes
sbatch-uneven-gpus = { $total } accelerators cannot be divided evenly among { $parts } tasks
sbatch-tasks-per-node = the tasks need { $spread } on each node; --ntasks-per-node allows fewer
sbatch-too-many-tasks = that many tasks cannot be counted
sbatch-gpus-twice = accelerators are asked for in more than one way; name them once
sbatch-output = { $option }={ $file }: output is kept by the factory; read it with “eaf logs”
sbatch-below = this line is below the first command, so it has no effect (as in Slurm)

## Help. The texts of verbs and arguments stand in the code.

help-usage = Usage
help-commands = Commands
help-command = COMMAND
help-arguments = Arguments
help-options = Options
help-help = Print help
help-version = Print the version
help-after = Environment: EAF_URL names another factory, EAF_TOKEN its token, EAF_CA a certificate to trust (PEM); EAF_DATA_DIR and EAF_LANG stand for --data-dir and --lang; NO_COLOR turns colours off.
    {""}
    Exit codes: 0 well · 1 refused or failed · 2 usage · 3 no factory answers · 4 wrong token · 5 not found · 6 a file does not read · 7 not verified. “eaf run” exits with the command's code; see “eaf run --help”.
help-run-after = Exit codes: the command's own; 128 + N where signal N ended it; 124 when its wall time was over; 125 when it did not run or its end is not known; 126 when it could not be started; 130 when it was cancelled.
    {""}
    Example: eaf run --cpu 2 --memory 1GiB -t 10m -- python3 train.py
help-submit-after = A shell script is submitted as it is; its #SBATCH lines nodes, ntasks, ntasks-per-node, cpus-per-task, mem, mem-per-cpu, gres, gpus, gpus-per-node, gpus-per-task, time, array, dependency, job-name, account, chdir, output and error are understood, and every other one is refused by name and line.
help-up-after = TERM or Ctrl-C stops the factory and leaves running work running; the next “eaf up” finds it again. “eaf down --stop-work” ends it. Exit codes of a factory that ends by itself: 73 the disk is full, 74 the journal failed, 75 it is read-only, 76 an invariant is broken; nothing acknowledged is lost.

## Words of many commands.

error-label = error
ago = { $span } ago
any-model = any
pretended = { $accelerators } (pretended)
request = { $cpu } CPU, { $memory }
held-of = { $held } of { $all } held

## Headings of tables.

head-id = ID
head-name = NAME
head-project = PROJECT
head-state = STATE
head-since = FOR
head-tasks = TASKS
head-cpu = CPU
head-memory = MEMORY
head-accelerators = ACCELERATORS
head-reason = REASON
head-task = TASK
head-node = NODE
head-nodes = NODES
head-attempt = ATTEMPT
head-granted = GRANTED
head-ran = RAN
head-cpu-time = CPU TIME
head-memory-peak = PEAK MEMORY
head-checkpoint = CHECKPOINT
head-share = SHARE
head-average = AVERAGE
head-waiting = WAITING
head-model = MODEL
head-held = HELD
head-guaranteed = GUARANTEED
head-kept = KEPT
head-maximum = MAXIMUM
head-ended = ENDED

## Failures: what happened, and what to do next.

fail-no-factory = No factory is running on this machine
    .next = Start one with “eaf up”, or name another with EAF_URL. Looked in: { $looked }
fail-unreachable = No factory answers at { $url }
    .next = Start one with “eaf up”, or name another with EAF_URL.
fail-distrusted = The certificate of { $url } is not trusted
    .next = Name it, or the authority that signed it, with EAF_CA (a PEM file). A certificate that signs itself must say CA:FALSE.
fail-not-this-api = { $url } answered { $status }, and is no factory
    .next = Look whether EAF_URL names a factory of this version.
fail-broken = The stream from { $url } broke off
    .next = Try again; what runs goes on.
fail-certificate = The certificate in EAF_CA is not PEM
    .next = Name a file that begins with -----BEGIN CERTIFICATE-----.
fail-url = “{ $url }” is not a URL of a factory
    .next = Set EAF_URL to something like http://127.0.0.1:7070.
fail-token-file = The token in { $path } cannot be read
    .next = Ask whoever runs the factory for the token, and set EAF_TOKEN to it.
fail-output = The output cannot be written
fail-signals = Signals cannot be watched for
fail-read = Cannot read { $path }
fail-write = Cannot write { $path }
fail-not-an-id = “{ $given }” is not the id of a workload
    .next = An id looks like wl-12, or wl-12.0 for a member of an array; “eaf ps --all” lists workloads.
fail-not-an-event = “{ $given }” is not the place of an event
    .next = Give a step such as 12, or an event such as 12.0.
fail-not-a-head = “{ $given }” is not a place in a journal
    .next = Give STEP:HASH as a receipt states it, such as 12:9f86d081….
fail-figure = { $option }: “{ $given }” { $problem }
fail-pair = { $option }: “{ $given }” is not NAME=VALUE
fail-accelerators = --accelerators: “{ $given }” is not a count with or without a model
    .next = Write 4, 4:MI355X, or 1:MI300X|MI325X.
fail-state = There is no state “{ $given }”
    .next = The states are: { $known }.
fail-workload-file = { $place }: { $problem }
fail-policy-file = { $place }: { $problem }
fail-policy-refused = { $place }: { $detail }
policy-detail = { $detail }
# A window that is over is no mistake: a policy file may keep what has been.
policy-is-over = { $place } was over at { $until }, and keeps nothing any more.
policy-checked = It holds together, and the factory can keep it.
policy-checked-alone = It holds together. No factory answers, so nodes and what runs were not looked at.
policy-same = Nothing changes.
policy-no-shares = The policy has no shares.
policy-without-share = (without a share)
policy-applied = It is in force.
    .next = docs/cli.md describes workload files; “eaf submit --dry-run FILE” shows what a file asks for.
fail-file-too-large = { $path } is larger than { $max }
    .next = Keep data out of the file; a workload can read it where it runs.
fail-no-node = No node is called “{ $given }”
    .next = “eaf node list” shows the nodes.
fail-cp-source = “{ $given }” does not say which file of which workload
    .next = Write it like wl-12:out/model.bin; wl-12:. is the whole directory.
fail-directory-to-output = { $path } is a directory, and cannot go to standard output
    .next = Name a directory to copy it into.
fail-directory-too-large = The directory “{ $path }” has too many entries or lies too deep
    .next = Pack it into one file in the workload, and copy that.
fail-no-key = There is no public key in { $path }
    .next = Name the factory's public key with --key, as text or as a file.
fail-key = “{ $given }” is not a public key
    .next = The factory's key is the file keys/receipt.pub in its data directory.
fail-receipt = The receipt does not verify
    .next = Ask the factory for it again (“eaf receipt show ID --json”), and compare the key.
fail-journal-open = There is no journal that could be opened in { $path }
    .next = Name the data directory with --data-dir.
fail-journal = The journal in { $path } does not verify
    .next = Keep the directory as it is, and go on from a backup (“eaf restore”).
fail-backup = { $from } was not copied to { $to }
    .next = Nothing was left behind; put right what is named and try again.
fail-restore = { $from } was not restored to { $to }
    .next = Nothing was left behind; put right what is named and try again.
fail-settings = { $place }: the settings do not read
    .next = examples/eaf.toml lists every setting with its default.
fail-detach = The factory could not be started in the background
fail-detached = The factory did not come up
    .next = Its log is { $path }.
fail-detached-slow = The factory has not come up yet; it goes on as process { $pid }
    .next = A long journal takes a while. Its log is { $path }.
fail-still-stopping = Process { $pid } has not ended yet
    .next = Look at its log; “kill { $pid }” asks it once more.
fail-supervise = The supervisor ended

## eaf up.

up = The factory is up at { $url }
up-data = data        { $dir }
up-token = token       { $path }
up-pretended = pretended   { $accelerators }: these accelerators are not there
up-next = next        eaf run -- hostname · eaf ps · eaf node list · eaf down
up-settings = settings from { $path }
up-runs = Running { $name } ({ $id })
up-receipt = Its receipt
up-stays = The factory stays up at { $url }; Ctrl-C stops it and leaves running work running.
up-stays-after-failure = The factory stays up at { $url } all the same; Ctrl-C stops it.
up-stopped = The factory has stopped.
start-needs-tls = { $address } can be reached from other machines, and there is no encryption
    .next = Give --tls-cert and --tls-key, or allow plain HTTP with --insecure-http.
start-port-in-use = Port { $port } is in use
    .next = A factory may be up already (“eaf ps”); another port is taken with --port, a free one with --port 0.
start-port-forbidden = Port { $port } may not be used by this user
    .next = Take a port above 1023 with --port.
start-no-such-address = { $address } is not an address of this machine
    .next = Give one of its own with --bind; 0.0.0.0 is all of them.
start-bind = Cannot listen on { $address }
    .next = Give another address or port with --bind and --port.
start-locked = Another factory is up on { $dir }
    .next = Use that one, stop it with “eaf down”, or take another data directory with --data-dir.
start-open = The journal in { $dir } cannot be opened
    .next = Put right what is named, or go on from a backup (“eaf restore”).
start-recover = The journal in { $dir } cannot be read back
    .next = “eaf verify” says where it breaks. Keep the directory as it is, and go on from a backup (“eaf restore”).
start-site = The site file { $path } does not read
    .next = Correct it; the line and column are named above.
start-tls = The certificate { $path } cannot be used
    .next = Give a PEM certificate and its PEM key with --tls-cert and --tls-key.
start-engine = The engine does not start
    .next = Put right what is named; “engine” in eaf.toml has its settings.
start-fatal = The first steps could not be made durable in { $dir }
    .next = Look at the disk; nothing that was acknowledged is lost.
start-setting = The setting { $field } cannot be used as it is
    .next = { $which ->
        [array_max] It must be from 1 to 65,534.
        [grants_per_plan_max] It must be from 1 to 65,534.
        [shapes_per_plan_max] It must be at least 1.
        [wall_time_default] It must be above 0 and no more than timing.wall_time_max.
        [stop_grace_default] It must be no more than timing.stop_grace_max.
        [start_timeout] It must be above 0.
        [mode_change_timeout] It must be above 0.
        [h100_milli] No accelerator may be worth more than 1,000,000 H100.
        [level_service] It must be above 0.
        [level_ratio] It must be at least 2.
        [holds] It must be from 1 to 64.
        [milligrams_per_kwh] It must have 288 values, twelve months of 24 hours, or none.
       *[partitions] Each mode must have a name of its own and 1 to 32 places, and its slices must lie within them and come to one accelerator at most.
    }
start-other = The factory does not start
    .next = Put right what is named, and start it again.

## eaf down, run, ps, cancel, wait, cp, node, receipt, verify, backup, restore.

down = The factory has stopped; running work goes on.
down-work-too = The factory has stopped, and so has its work.
run-cancelling = eaf: cancelling { $id }; once more to leave it and go
run-follows-some = eaf: the first { $max } of { $tasks } tasks are followed; “eaf logs --task N { $id }” has the others
ps-none = There is no such workload.
ps-none-live = Nothing waits or runs; “eaf ps --all” shows what has ended.
ps-more = { $shown } shown; there are more (--limit).
cancel-done = { $id }  { $state }
cp-done = { $files ->
    [one] 1 file ({ $size }) copied to { $to }
   *[other] { $files } files ({ $size }) copied to { $to }
}
node-none = There are no nodes yet.
receipt-verified = The receipt is whole: it was signed by { $key }, and every figure adds up.
receipt-unchecked = Not checked: this machine has no key of that factory. “eaf receipt verify --key KEY FILE” checks it.
verify-whole = { $steps ->
    [one] The journal is whole: 1 step
   *[other] The journal is whole: { $steps } steps
}
verify-head = head
verify-anchor = begins behind step
verify-replayed = replayed
verify-replayed-of = { $replayed } of { $steps } steps, invariants checked
verify-snapshots = snapshots that agree
verify-ended = ended workloads
verify-state = digest of the state
verify-history = digest of the history
backup-done = { $size } copied to { $to }, at { $head }
restore-done = { $to } is restored; “eaf up” goes on from it.

## Journals: what can be wrong with one.

journal-locked = Another process writes to { $path }; one factory at a time may.
journal-locked-by = Process { $pid } writes to { $path }; one factory at a time may.
journal-missing = There is no journal in { $path }.
journal-not-one = { $path } is not a journal of eaf.
journal-too-new = { $path } has format { $found }, and this eaf reads up to format { $known }; use the eaf that wrote it or a later one.
journal-damaged = { $path } is damaged: it can be read up to step { $step } only.
journal-path = { $path } cannot be opened.
journal-store = The database refused.
journal-broken = It breaks at step { $step }: { $breach }.
journal-other-hash = At step { $step } it has the hash { $found }, and { $expected } was expected.
journal-pruned = Step { $step } has left the journal, which begins behind step { $anchor }.
journal-invariant = Step { $step } breaks an invariant: { $violation }
journal-impossible = Step { $step } cannot be replayed: { $why }
journal-snapshot = The snapshot at step { $step } is not the state of that step: { $why }
journal-no-snapshot = It begins behind step { $anchor }, and there is no snapshot to start from.
journal-history = The history does not hold { $workload } as step { $step } ended it.
breach-hole = what is stored there begins at step { $found }
breach-cut-off = nothing is stored there, although step { $known } is known to have been
breach-unreadable = its page cannot be read
breach-cut-line = its line is cut
breach-not-a-step = its line is not a step of this format
breach-number = its line calls itself step { $found }
breach-length = its batch says that it ends at step { $stored }, and its lines end at step { $found }
breach-instant = its batch carries another instant than its last step
breach-chain = a byte was changed up to step { $last }: the chain gives { $computed }, and { $stored } is stored
backup-not-empty = { $path } is not empty, and nothing is written over.
backup-path = { $path } cannot be copied.
backup-pruned = The journal was pruned again and again while it was copied; try again later.

## eaf show and explain.

show-name = name
show-project = project
show-reason = reason
show-since = since
show-deadline = deadline
show-ends-by = ends by
show-submitted = submitted
show-by = by
show-array-index = index value
show-array = members
show-runs = runs
show-tasks = tasks
show-tasks-min = at least
show-tasks-per-node = at most on a node
show-each-task = each task
show-wall-time = wall time
show-priority = priority
show-preemptible-loses = { $times ->
    [0] makes room for others
    [one] makes room for others; did so once
   *[other] makes room for others; did so { $times } times
}
show-preemptible-keeps = { $times ->
    [0] makes room for others and keeps its progress
    [one] makes room for others and keeps its progress; did so once
   *[other] makes room for others and keeps its progress; did so { $times } times
}
show-preemptible = preemptible
show-retries = retries
show-losses = losses
show-after-ok = after success of
show-after-any = after the end of
show-checkpoint = last checkpoint
show-not-before = not before
show-directory = directory
show-environment = environment
show-labels = label
show-fabric = fabric
show-cpu = CPU
show-memory = memory
show-mode = accelerator { $index }
node-mode = { $mode }, { $state }
node-mode-why = { $mode }, { $state }: { $why }
node-mode-to = { $mode }, { $state }: to { $to }
show-accelerators = accelerators
show-now = Now: attempt { $attempt }, lease { $lease }
show-attempts = Attempts
task-ordered = ordered
task-accepted = accepted
task-started = started
task-exited = exited
task-abandoned = abandoned
task-ended = task { $task } { $exit }
explain-nodes = { $total ->
    [one] { $fitting } of 1 node could take a task now.
   *[other] { $fitting } of { $total } nodes could take a task now.
}
explain-nodes-several = Of the others some lack several of these:
explain-made-room = { $times ->
    [one] It made room for another workload once; accelerator time lost by that: { $lost }.
   *[other] It made room for other workloads { $times } times; accelerator time lost by that: { $lost }.
}
explain-ahead = { $ahead ->
    [0] Nothing goes before it.
    [one] 1 workload goes before it.
   *[other] { $ahead } workloads go before it.
}
explain-ahead-by-share = { $ahead ->
    [0] Nothing of its project goes before it; between projects it goes by share.
    [one] 1 workload goes before it: of its project, told its start before, or after too long a wait; between projects it goes by share.
   *[other] { $ahead } workloads go before it: of its project, told their start before, or after too long a wait; between projects it goes by share.
}
explain-checkpoint = It could go on from its checkpoint of { $at } ({ $ago }).
explain-no-checkpoint = It has reported no checkpoint (eaf checkpoint).
explain-would-start = It would start now
explain-gives-up = It gives up if it has not started by { $at }, in { $span }.
explain-start = Expected to start by { $at }, in { $span }.
explain-start-half = Expected to start by { $at }, in { $span }: as likely sooner as later.
explain-start-ninety = Nine times in ten it has started by { $at }, in { $span }.
explain-start-tail-unknown = How late it may become cannot be said: some of the forward runs did not get that far.
explain-start-not-before = Not expected to start before { $at }, in { $span }; further the forward run did not get within its bound.
explain-start-unknown = Nobody can say when it will start.
explain-start-stops = { $stops ->
    [one] By then 1 running workload is stopped to make room for it.
   *[other] By then { $stops } running workloads are stopped to make room for it.
}
explain-basis-wall-times = Taken that all work uses its whole wall time, that nothing else comes in, and that nothing fails.
explain-basis-learned = { $runs ->
    [one] From 1 forward run
   *[other] From { $runs } forward runs
} in which work lasts as { $attempts ->
    [one] 1 attempt did before
   *[other] { $attempts } attempts did before
}, nothing else comes in, and nothing fails.

## eaf checkpoint.

fail-checkpoint-outside = This is not inside a task: EAF_CHECKPOINT is not set
    .next = A task calls “eaf checkpoint” when it has written one; it finds EAF_CHECKPOINT in its environment.
fail-checkpoint-label = The label is longer than { $max } characters
    .next = Shorten it.

## eaf submit --what-if.

planned-starts = It would start now, on
planned-starts-of = { $starting } of { $workloads } would start now, the first on
planned-tasks = { $node }: { $tasks ->
    [one] 1 task
   *[other] { $tasks } tasks
}
planned-waits = It would wait.
planned-next = The next would wait.
planned-last = And the last of them:

## eaf events.

event-configured = settings are in force
event-policy-applied = a policy is in force, applied by { $by }
event-windows-moved = windows of the policy: begun { $begun }, over { $over }
event-node-added = { $node } ({ $name }) joined the site
event-node-changed = { $node } has other parts than before
event-node-lost = { $node } is lost: { $why }
event-node-given-up = { $node } did not come back in time, and its work is given up
event-node-back = { $node } is back
event-node-cordoned = { $node } is cordoned: { $why }
event-node-uncordoned = { $node } takes work again
event-mode-draining = accelerators { $boards } of { $node } take no more work and become { $mode } when they are empty, for { $workload }
event-mode-kept = accelerators { $boards } of { $node } take work as they are
event-mode-ordered = accelerators { $boards } of { $node } are being brought into { $mode }
event-mode-verified = accelerators { $boards } of { $node } are { $mode }
event-mode-failed = accelerators { $boards } of { $node } are out of service: { $why }
event-node-removed = { $node } left the site
event-workload-submitted = { $workload } ({ $name }) was submitted by { $by }
event-array-submitted = { $workload } ({ $name }), an array of { $members }, was submitted by { $by }
event-fleet-valued = free capacity is valued anew for placement: { $free } of { $capacity } accelerators are free
event-lease-granted = { $workload } holds { $lease } on { $nodes }
event-task-accepted = task { $task } of { $lease } is accepted
event-task-started = task { $task } of { $lease } started
event-task-used = task { $task } of { $lease } was metered
event-task-checkpointed = task { $task } of { $lease } has written a checkpoint
event-task-checkpointed-label = task { $task } of { $lease } has written a checkpoint: { $label }
event-task-exited = task { $task } of { $lease } { $exit }
event-task-abandoned = task { $task } of { $lease } is given up with its node
event-abandoned-task-gone = task { $task } of { $lease }, given up before, is gone
event-lease-stopping = { $lease } is told to stop: { $reason }
event-lease-closed = { $lease } is over
event-workload-requeued = { $workload } waits again: { $reason }
event-workload-eligible = { $workload } may start again
event-service-level-reached = { $workload } has reached level { $level } of attained service
event-lease-evictable = { $lease } has run long enough to make room for others
event-workload-preempted = { $workload } made room for { $by } and waits in its old place
event-workload-promised = { $workload } starts at { $at } at the latest
event-workload-passed = { $workload } goes behind those who were told since when they start
event-workload-aged = { $workload } has waited so long that it goes before others
event-workload-ended = { $workload } ended as { $state }: { $reason }

## The command line itself. English readers have clap's own words.

usage-unknown-argument = Unexpected argument “{ $arg }”
usage-unknown-verb = There is no command “{ $verb }”
usage-missing-argument = Missing: { $arg }
usage-missing-verb = A command is missing
usage-missing-value = “{ $arg }” has no value
usage-bad-value = “{ $value }” is no value for “{ $arg }”
usage-conflict = “{ $arg }” cannot be used together with “{ $other }”
usage-too-many-values = “{ $arg }” has too many values
usage-not-utf8 = An argument is not UTF-8 text
usage-other = The command line was not understood
usage-near = Did you mean: { $near }
usage-values = Possible values: { $values }
usage-help = More: --help
