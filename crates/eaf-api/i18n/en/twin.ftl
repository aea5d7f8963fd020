## eaf twin: replays.

twin-progress = workloads
twin-title = Replay
twin-subtitle = The work of a trace through the factory’s own core, in virtual time.
twin-page-written = Written: { $path }
twin-fleet = nodes / accelerators
twin-workloads = workloads
twin-dropped = left out
twin-starved = never started
twin-load = offered load
twin-waited = waited
twin-wait-mean = mean wait
twin-wait-p50 = P50 wait
twin-wait-p90 = P90 wait
twin-wait-p99 = P99 wait
twin-wait-max = longest
twin-jct-mean = mean completion
twin-jct-p50 = median completion
twin-jct-p99 = P99 completion
twin-makespan = makespan
twin-allocated = allocated, all the while
twin-allocated-arriving = allocated, while arriving
twin-utilisation = utilisation
twin-fragmented = fragmented
twin-energy = energy
twin-price = price
twin-preemptions = stops for other work
twin-lost = accelerator time lost by them
twin-fairness = fairness (Jain, tenants)
twin-speed = workloads per CPU second
twin-took = computed in
twin-digest = journal digest
twin-by-size = Waits by accelerators asked for
twin-size = asked for
twin-waited-count = had to wait
twin-all = all
twin-estimates = Estimated starts: { $asked } asked at submission, { $once } of them started at once; of those that waited
twin-error-p50 = median error
twin-error-p90 = P90 error
twin-by-p90 = started by P90
twin-unanswered = no answer
twin-error-p50-walls = median error, wall times
twin-error-p90-walls = P90 error, wall times
twin-figures = Figures
twin-notes = Notes
twin-chart-allocated = Allocated share of all accelerators
twin-chart-waiting = Workloads that wait
twin-chart-fragmented = Fragmented share of what is free
twin-chart-waits = Share of workloads that waited at most so long
twin-dropped-rows = { $rows ->
    [one] { $rows } row left out, { $why }: line { $lines }
   *[other] { $rows } rows left out, { $why }: lines { $lines }
}
twin-drop-twin = as an earlier row has its name
twin-drop-ends-before = as it ends before it begins
twin-drop-nothing = as it asks for nothing
twin-drop-larger = as the fleet could never hold it
twin-drop-refused = as the factory refuses it ({ $code })
twin-without-start = { $rows ->
    [one] { $rows } row has no recorded start: it runs for its deletion minus its creation.
   *[other] { $rows } rows have no recorded start: they run for their deletion minus their creation.
}
twin-energy-unknown = The draw of these models is not in the catalogue, so their energy stays unknown: { $models }
twin-means-waits = Percentiles are nearest rank. Offered load counts until the last arrival.
twin-means-shares = Allocated: accelerator-time held per fleet and time. Utilisation: time that ran per time held. Fragmented: the free share that tasks of one whole accelerator could not use.
twin-nothing-waited = Everything started at the instant of its submission.
twin-tail = Charts end where less than 5 % of the most that was held is left.
fail-twin-policy = { $option } says nothing without --policy
fail-twin-option = { $option } says nothing about a trace of the format { $format }
    .next = Leave it out. --pods belongs to openb, --jobs to philly and synthetic, --from and --to to traces, --seed and --load to synthetic.
fail-twin-least-used = “{ $given }” is no share of a wall time
    .next = --least-used takes a number from 0.001 to 1, such as 0.1.
fail-twin-least-used-idle = --least-used says nothing where wall times are not overstated
    .next = Leave it out, or add --wall-times overstated.
twin-nothing-there = Zero throughout.

## eaf twin what-if.

what-if-from = The factory at step { $step }, from { $at } on. Nothing else arrives, nothing fails, and work lasts { $last } of its wall time.
what-if-nothing = {""}
what-if-as-it-is = as it is
what-if-changed = with the change
what-if-waiting = work that waits
what-if-wait = its mean wait from now
what-if-stranded = never ends
what-if-last-end = until the last has ended
what-if-energy = energy until then
what-if-price = charged until then
what-if-same = No start and no end moves.
what-if-starts = starts
what-if-would = would start
what-if-ends = ends
what-if-would-end = would end
what-if-never = never
what-if-now = now
what-if-new = new
what-if-more = { $more ->
    [one] One more moves (--all).
   *[other] { $more } more move (--all).
}
fail-twin-last = “{ $given }” is no share of a wall time
    .next = --last takes a number above 0 and at most 1, such as 0.6.
fail-twin-add = “{ $given }” names no nodes
    .next = --add-nodes takes 2*NAME (two like the node NAME) or a fleet such as 4x8xMI355X.
fail-twin-node = There is no node “{ $name }”
    .next = “eaf node list” shows the names.
fail-twin-refused = The factory would refuse “{ $name }”

## Traces that are refused.

trace-empty = it is empty; its first line should name the columns
trace-no-rows = it has columns and no rows
trace-missing-column = line 1: there is no column { $column }; the columns are { $found }
trace-column-twice = line 1: the column { $column } stands twice
trace-encoding = line { $line }, column { $column }: this is not UTF-8
trace-width = line { $line }: there are { $found } cells, and { $expected } columns
trace-cell = line { $line }, column { $column } ({ $name }): “{ $value }” { $problem }
trace-node-twice = line { $line }: the node { $name } stands on line { $first } already
trace-name-twice = line { $line }: the name { $name } stands on line { $first } already
trace-no-accelerators = its nodes have no accelerators
trace-index = line { $line }, column { $column } ({ $name }): entry { $entry }, “{ $value }”, is no whole number below { $below }; these orders are for another list
trace-index-twice = line { $line }, column { $column } ({ $name }): entry { $entry }, { $value }, stands there already
trace-index-missing = line { $line }, column { $column } ({ $name }): { $value } is missing; there are { $found } of { $expected }
trace-seed-twice = line { $line }: { $trace } with seed { $seed } stands there already
trace-no-trace = there are no orders for the trace { $trace }; it has orders for: { $found }
trace-no-seed = there is no order for { $trace } with seed { $seed }; its seeds are: { $found }
trace-other = { $what }
trace-not-a-number = is not a number
trace-negative = is below zero
trace-too-large = is too large
trace-not-a-time = is not a date and time such as 2017-10-09 07:01:55
trace-empty-cell = is empty
trace-not-allowed = is not { $expected }
fail-trace = { $path } is refused: { $problem }
fail-twin = The twin did not come to its end
fail-twin-no-jobs = No workload is left in this part of the trace
    .next = Widen --from and --to.
fail-twin-rate = “{ $given }” is no rate
    .next = A rate is a number from 0.001 to 1000000, such as 50.
fail-twin-fleet = “{ $given }” is neither a file nor a fleet
    .next = Name a file of openb nodes, or a fleet such as 16x8 (16 nodes of 8 accelerators) or 16x8xMI355X.
fail-twin-number = “{ $given }” is no value for { $option }
    .next = --jobs takes a whole number from 1 to 100000000 for made-up work, --load a share such as 0.9.
fail-twin-date = “{ $given }” is no date
    .next = A date is written as 2026-01-01.

## eaf twin run and eaf twin search.

fail-script = { $place }: { $problem }
script-unknown-verb = there is no verb “{ $found }”; the verbs are: { $known }
script-expected = “{ $found }” stands where { $expected } should
script-out-of-range = “{ $found }” is out of range
script-no-effect = this does nothing: { $why }
script-not-as-expected = expected { $expected }, and { $found }
script-violation = the rule “{ $rule }” does not hold: { $what }
twin-run-alone = There is no { $path } to compare the output with; --update writes it.
fail-twin-seeds = There are not that many seeds from { $from } on
    .next = --from and --seeds together stay below 2^64.
twin-run-differs = The output is not the one in { $path }; --update accepts it.
twin-search-progress = { $seeds } of { $of } seeds, { $rate }/s
twin-search-held = Every rule held in { $seeds } seeds
twin-search-seed-held = Every rule held in seed { $seed }
twin-search-steps = steps of the journal
twin-search-workloads = workloads
twin-search-starts = starts of the control plane
twin-search-hours = virtual hours
twin-search-speed = speed
twin-search-speed-of = { $jobs ->
    [one] { $seeds } seeds/s and { $hours } virtual hours/s on 1 thread
   *[other] { $seeds } seeds/s and { $hours } virtual hours/s on { $jobs } threads
}
twin-search-events = event
twin-search-rejections = rejection
twin-search-faults = fault
twin-search-cases = case
twin-search-met = met
twin-search-missing = Some things were never met: { $missing }
    .next = Search more seeds, or aim at them: what is never met is not tested.
twin-search-broken = Seed { $seed } breaks the rule “{ $rule }”
twin-search-next = “eaf twin search --seed { $seed }” prints its log. Once it is mended, keep the script above in scenarios/.

## eaf bench placement.

place-trace = trace
place-seed = seed
place-at-100 = @100
place-at-130 = @130
place-reference = offline reference
place-served = all served until
place-bound-100 = bound @100
place-bound-130 = bound @130
place-gain-100 = eaf - FGD @100
place-gain-130 = eaf - FGD @130
place-closed-100 = gap closed @100
place-closed-130 = gap closed @130
place-worse = runs worse
place-decisions = decisions
place-micros = µs a decision
place-nodes = nodes
place-sheet-run = Runs
place-sheet-100 = Allocated share at 100 % load, in percent
place-sheet-130 = Allocated share at 130 % load, in percent
place-sheet-reach = What could have been reached, in percent
place-sheet-micros = Mean time of a decision, in microseconds
place-sheet-growth = Growth: microseconds a decision, and the allocated share at 100 % load
place-means-reference = Offline reference: the load up to which best fit decreasing, knowing every arrival and blind to CPU, serves all of them. All served until: the same for anything at all, by the dual of a linear programme. Bound: the most that can be allocated of what has arrived, refusing at will, by the dual of a linear programme. Gap closed: the share of the way from FGD to the offline reference; above 100 % where the reference is passed.
place-means-random = random draws from the order’s seed by a generator of its own; its figures are alike the published ones and not equal to them.
place-means-growth = The nodes of the default trace once, ten times and a hundred times; arrivals of the orders one after the other, as often as needed.
place-equal = { $equal } of { $runs } runs of the published policies equal the published results at every load from 0 to 130 %
place-differs = { $policy } on { $trace } with seed { $seed } differs
place-progress = runs
fail-bench-nodes = { $given } is not a number of nodes: give one from 1 to 200000
fail-bench-placement-only = { $option } is for “eaf bench placement” alone
fail-bench-placement-what = What is to be placed?
    .next = Name --trace, --nodes and --orders, or --all for the shipped traces.

replay-policy = policy
replay-published = published mean completion s
replay-jct-mean = mean completion s
replay-jct-p50 = median s
replay-jct-p99 = P99 s
replay-wait-mean = mean wait s
replay-makespan = makespan s
replay-preemptions = preemptions
replay-lost = accelerator-hours lost
replay-fairness = Jain, tenants
replay-speed = jobs per CPU second
replay-memory = peak MB
replay-sheet-philly = Philly, 2,000 jobs on 16 nodes of 8
replay-sheet-64 = Philly, the whole trace on 64 nodes of 8
replay-sheet-56 = Philly, the whole trace on 56 nodes of 8
replay-sheet-48 = Philly, the whole trace on 48 nodes of 8
replay-sheet-openb = openb, on all of its nodes, so many times faster than it arrived
replay-sheet-estimates = Estimated starts: Philly, 2,000 jobs on 16 nodes of 8, wall times that use a tenth to all
replay-means = Every run goes through the core itself, its journal chained. Shortest-first policies are told durations; the others know none. Under las and eaf every job may be preempted and keeps its progress; lost accelerator-hours are what starting again costs. Public simulators process 10 to 935 jobs per CPU second (measured by the project in 2026, not in this run).
