# States, reasons, blockers, tests, exits and rejections: one message a code.

# What a workload's state is called.
state-queued = queued
state-granted = granted
state-starting = starting
state-running = running
state-stopping = stopping
state-finished = finished
state-failed = failed
state-cancelled = cancelled
state-expired = expired

# What a node's state is called.
node-state-ready = ready
node-state-cordoned = cordoned
node-state-lost = lost

# How a task ended.
exit-code = exited with { $code }
exit-signal = ended by signal { $signal } ({ $name })
exit-out-of-memory = used more memory than it held
exit-cannot-start = could not be started: { $why }
exit-lost = lost: { $why }

# Why a workload is in its state.
reason-waiting-for-capacity = waits for capacity
reason-waiting-for-dependencies = { $pending ->
    [one] waits for 1 workload to end
   *[other] waits for { $pending } workloads to end
}
reason-retry-after-failure = will be tried again; the last attempt { $exit }
reason-retry-after-loss = will be tried again; the last attempt was lost: { $why }
reason-waiting-after-preemption = made room for { $by }; waits in its old place
reason-preempted = makes room for { $by }
reason-placed = has its place; the engine has the order
reason-tasks-starting = { $started } of { $of } tasks started
reason-tasks-started = all tasks started
reason-cancel-requested = cancelled by { $by }
reason-wall-time-reached = its wall time is over
reason-start-timed-out = a task did not start in time
reason-task-failed = task { $task } { $exit }
reason-node-lost = node { $node } was lost
reason-lost = lost: { $why }
reason-dependency-failed = { $workload }, which it waited for, did not finish
reason-did-not-start-in-time = did not start in time
reason-deadline-out-of-reach = could not end by its deadline any more
reason-all-tasks-exited-zero = every task exited with 0

# Why a waiting workload is not placed.
blocker-dependencies = { $pending ->
    [one] Waits for { $workloads } to end.
   *[other] Waits for { $pending } workloads to end: { $workloads }.
}
blocker-backoff = Its next attempt is not due before { $until }.
blocker-capacity = { $wanted ->
    [one] Too little is free now: no node can take it.
   *[other] Too little is free now: { $placeable } of its { $wanted } tasks would find a place, and it starts whole or not at all.
}
blocker-mode-draining = Accelerators of { $node } take no more work and become { $mode } for it when they are empty, expected at { $until }.
blocker-mode-change = Accelerators of { $node } are being brought into { $mode } for it, expected at { $until }.
blocker-share = Share { $share } holds { $held } accelerators of { $model } with what starts now, and may hold { $limit }.
blocker-share-kept = What is free of { $model } is kept for shares that do not lend it: { $held } are held, and { $limit } may be.
blocker-share-too-small = { $share } may hold { $limit } of { $model } at the most, and this asks for { $wanted }: it can never start. Raise the maximum of the share, or cancel it and ask for less.
blocker-share-too-small-kept = Others do not lend enough { $model }: at the most { $limit } can be had beside what they keep, and this asks for { $wanted }. It can never start. Change what they lend, or cancel it and ask for less.
blocker-reserved = It would fit, and { $nodes ->
    [one] one node is
   *[other] { $nodes } nodes are
} kept for others, or for a repair, before it may be over. The first of these windows ends at { $until }.
blocker-planned = It starts at { $at } at the latest, unless a node is lost or more urgent work comes.
blocker-planned-about = It is planned to start at { $at }. That may move: only the first that wait are promised a time at the latest.
blocker-planned-until = It is planned to start at { $at }, and starts at { $latest } at the latest, unless a node is lost or more urgent work comes.
blocker-hold = It would fit now, and might delay { $workload }, which is planned to start at { $at }.
blocker-preemption = { $workloads ->
    [0] Others are stopping to make room for it.
    [one] 1 workload is about to be stopped to make room for it.
   *[other] { $workloads } workloads are about to be stopped to make room for it.
}
blocker-next-pass = It fits and is next.
blocker-short = Short of: { $what }.
blocker-scattered = { $free } accelerators that would do are free in all, and it wants { $wanted }; but they are scattered over nodes that have too few of them, or lack something else.
blocker-nodes-not-ready = Only nodes that are not ready ({ $cordoned } cordoned, { $lost } lost) could ever hold it. Bring them back, or cancel it and ask for less.
blocker-fleet-too-small = The fleet can never hold it. Add nodes, or cancel it and ask for less.

# What is short.
short-cpu = CPU threads
short-memory = memory
short-accelerators = accelerators
short-accelerator-model = accelerators of the models that it names
short-tasks-per-node = nodes, as so few of its tasks may share one

# What would make a waiting workload start now.
change-fewer-tasks = { $tasks ->
    [one] with 1 task
   *[other] with at most { $tasks } tasks
}
change-fewer-accelerators = { $count ->
    [one] with 1 accelerator a task
   *[other] with at most { $count } accelerators a task
}
change-smaller-share = with at most { $share } of an accelerator
change-less-cpu = with at most { $cpu } CPU a task
change-less-memory = with at most { $memory } of memory a task
change-other-models = with accelerators of another model: { $models }
change-any-tasks-per-node = with any number of its tasks on a node
change-shorter-wall-time = with a wall time of at most { $span }

# What a node can fail for a task.
test-cordoned = cordoned
test-lost = lost
test-accelerator-model = no accelerator of a model that will do
test-cpu = too few CPU threads free
test-memory = too little memory free
test-mode = no accelerator that is cut in this way and takes work
test-accelerators = too few accelerators free
test-reserved = kept for others in its time

# Where an accelerator is between two modes.
mode-state-settled = in force
mode-state-draining = takes no more work, until it is empty
mode-state-changing = being changed
mode-state-out-of-service = out of service

# What can be wrong with a field.
field-empty = { $field } is empty.
field-too-small = { $field } is { $given }; the least that passes is { $min }.
field-too-large = { $field } is { $given }; the most that passes is { $max }.
field-twice = { $field } names { $what } twice.
field-malformed = { $field } is not well-formed; expected: { $expected }.
field-conflicts = { $field } does not go together with { $with }.

# Why a request changed nothing: a title, what happened, and what to do next.
rejection-invalid = A field is wrong
    .next = Correct { $field } and send it again.
rejection-never-fits = No node could ever hold it
    .detail = The fleet cannot run this even when nothing else runs. { $largest }
    .next = Ask for less, or add nodes.
fit-tasks = { $tasks ->
    [one] No more than 1 such task fits at once.
   *[other] No more than { $tasks } such tasks fit at once.
}
fit-alone = With everything else as asked, a task could have no more than this: { $most }.
fit-cpu = { $most } CPU
fit-memory = { $most } of memory
fit-accelerators = { $most ->
    [one] 1 accelerator
   *[other] { $most } accelerators
}
fit-several = Each node that has enough of one thing that it asks for has too little of another.
rejection-model-unknown = No node has such an accelerator
    .detail = It asks for { $models }. The fleet has: { $offered }.
    .none = It asks for accelerators, and the fleet has none.
    .next = Ask for what is there, or add nodes.
rejection-no-nodes = There are no nodes yet
    .detail = The factory knows of no node that could run anything.
    .next = Wait until a node is discovered, or name nodes in the site file; “eaf node list” shows them.
rejection-deadline-too-soon = It could not end by its deadline
    .detail = Started at once, it could run until { $earliest }, and its deadline is { $deadline }.
    .next = Ask for a shorter wall time, or give a later deadline.
rejection-queue-full = The queue is full
    .detail = { $max } workloads are live, and that is the bound.
    .next = Try again when some have ended, or raise limits.live_workloads_max.
rejection-key-reused = This key belongs to another request
    .detail = The idempotency key was used for { $workload }, which asked for something else.
    .next = Send this request with a key of its own.
rejection-unknown-workload = No such workload
    .detail = No live workload is called { $workload }.
    .next = “eaf ps --all” lists those that there are.
rejection-unknown-dependency = It depends on an unknown workload
    .detail = There is no workload { $workload }, and none is remembered by that id.
    .next = Correct the dependency; “eaf ps --all” lists workloads.
rejection-dependency-failed = It depends on a workload that did not finish
    .detail = { $workload } has ended as { $state }, so this could never start.
    .next = Run { $workload } again and depend on the new one, or depend on its end however it ends (after_any).
rejection-already-stopping = It is already stopping
    .detail = { $workload } was told to stop before; its capacity is held until its exit is seen.
    .next = “eaf wait { $workload }” waits for its end.
rejection-unknown-node = No such node
    .detail = No node is called { $node }.
    .next = “eaf node list” shows the nodes.
rejection-node-unchanged = The node is already in that state
    .detail = Nothing is to be changed on { $node }.
    .next = “eaf node show { $node }” shows its state.
rejection-node-holds-more = Work on the node holds more than it would have left
    .detail = { $leases ->
        [one] 1 lease is still held on { $node }.
       *[other] { $leases } leases are still held on { $node }.
    }
    .next = Cordon it and wait until its work has ended, then try again.
rejection-too-many-nodes = Too many nodes
    .detail = The factory takes { $max } nodes.
    .next = Raise limits.nodes_max, or remove nodes.
rejection-stale-report = The report is of an old attempt
    .detail = The lease { $lease } is over or unknown; the report changes nothing.
    .next = Nothing is to be done.
rejection-slice-unknown = There is no such slice
    .detail = { $model } offers no slice { $slice }; it offers: { $offered }.
    .anywhere = No model offers a slice { $slice }; these are offered: { $offered }.
    .next = Ask for one of these, name other models, or add it under “partitions” in the settings.
rejection-mode-unknown = There is no such mode
    .detail = { $model } has no mode { $mode }; it has: { $offered }.
    .next = Order one of these.
rejection-accelerator-busy = The accelerator is not free
    .detail = Something is held on accelerator { $accelerator } of { $node }, or its mode is being changed already.
    .next = Cordon the node, wait until its work has ended, and try again; “eaf node show { $node }” shows it.
rejection-stale-mode-report = The report is of an old order
    .detail = No change of mode on { $node } waits for this report; it changes nothing.
    .next = Nothing is to be done.
rejection-time-went-back = The clock went back
    .detail = The last step was at { $last }, and this one says { $now }.
    .next = Set the machine's clock right; the factory goes on when it has passed the last step.
rejection-policy-invalid = The policy cannot be applied
    .next = Correct it; nothing was changed.
policy-too-many = { $place } has { $given }, and at most { $max } are allowed.
policy-name = { $place } is not a name: 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit.
policy-zero = { $place } is 0 or empty, and must be more.
policy-no-such-share = { $place } names the share { $name }, which is not in the policy.
policy-cycle = { $place } makes a share a part of itself: { $through }.
policy-too-deep = { $place } lies deeper than { $max } shares.
policy-above-the-whole = With { $place }, parts are guaranteed { $parts } of { $model } together, and their whole has { $whole }.
policy-above = { $place } is { $given }, and { $max } is the most.
policy-twice = { $place } names the node { $node } twice.
policy-over = { $place } ends before it begins.
policy-no-such-model = { $place }: no node of the fleet has an accelerator { $model }.
policy-no-such-node = { $place } names the node { $name }, which is not in the fleet.
policy-overlaps = { $place }: { $node } is kept by { $with } for some of the same time.
policy-occupied = { $place }: { $workload } may run on { $node } until { $until }, into the window. Let the window begin later, take another node, or cancel the workload.

rejection-settings-invalid = The settings do not hold together
    .detail = { $field } cannot be used as it is.
    .next = Correct { $field } in the settings.

# Where nothing is offered.
none-offered = nothing
