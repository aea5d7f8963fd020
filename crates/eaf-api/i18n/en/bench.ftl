# Benchmarks: what each measures, and the names of its figures.

fail-bench = a benchmark could not be run to its end

bench-submit = Durable submissions over HTTP, one workload a request, 32 connections, all processors taken, so that every planning pass meets the growing queue. Nothing is answered before it is on disk. The floor is plain SQLite (WAL, synchronous=FULL) in the same run: the same bytes, one row a step, in the batch sizes of the factory's own journal.
bench-submit-rate = durable submissions
bench-submit-floor = the floor: plain SQLite, same bytes, same batches
bench-submit-ratio = the floor over the factory
bench-submit-batch = submissions in one write, on average
bench-submit-p50 = wait for an answer, median
bench-submit-p99 = wait for an answer, 99 of 100
bench-submit-slurm-here = Slurm on this machine, sbatch one by one (not durable)
bench-submit-slurm-one = Slurm, sbatch one by one (not durable)
bench-submit-slurm-eight = Slurm, sbatch by eight (not durable)
bench-submit-slurm-rest = Slurm through its REST door (not durable)
bench-submit-spur = ROCm Spur

bench-start = An idle factory: from just before the request is written until the task, as the first thing that it does, prints the time.
bench-start-p50 = submission to running process, median
bench-start-p99 = submission to running process, 99 of 100
bench-start-slurm-tuned = Slurm, tuned for it
bench-start-slurm-default = Slurm, by default
bench-start-srun = Slurm, srun
bench-start-hyperqueue = HyperQueue
bench-start-spur = ROCm Spur

bench-throughput = 10,000 times “true” through the local engine, from submission to the last end, with durable journal, limits, sandbox, user, logs and receipts on; eight at once. The bare loop runs the same program with its two log files, in the same run, and does nothing else.
bench-throughput-array = as one array
bench-throughput-single = submitted one by one
bench-throughput-loop = the bare loop of fork and exec
bench-throughput-hyperqueue = HyperQueue, as an array (no journal, limits, sandbox or receipts)
bench-throughput-slurm = Slurm
bench-throughput-spur = ROCm Spur
bench-throughput-xargs = xargs -P8

bench-store = One million ended workloads in the store, and one hundred thousand that wait.
bench-store-startup = start-up with a million ended, until work is taken
bench-store-memory = memory with a million ended
bench-store-ps = eaf ps with a million ended
bench-store-ps-all = eaf ps --all with a million ended
bench-store-memory-after = memory with a million ended, after the listings
bench-store-waiting = memory with 100,000 waiting
bench-store-waiting-ps = eaf ps with 100,000 waiting

bench-twin = The factory’s own core in virtual time, on one thread: “eaf twin replay” and “eaf twin search”. The openb trace is 8,152 pods on 1,523 nodes, the Philly trace 2,000 jobs on 16 nodes that make them wait, and the million is made up, on 10,000 nodes of eight at a load of 0.9. The floor hashes as many steps of 400 bytes and does nothing else.
bench-twin-openb = openb, from reading the files to the report
bench-twin-openb-memory = openb, most memory
bench-twin-philly = Philly jobs, from reading the file to the report
bench-twin-simulators-slow = public simulators, the slowest
bench-twin-simulators-fast = public simulators, the fastest
bench-twin-million = a million workloads on 10,000 nodes
bench-twin-million-memory = a million workloads, most memory
bench-twin-steps = steps of the journal in that run
bench-twin-floor = the floor: steps hashed and nothing else
bench-twin-seeds = seeds searched: faults, crashes, replays, invariants
bench-twin-seed-hours = virtual hours searched

bench-topology = Gangs of whole hosts on the 847 hosts of a real three-layer Clos network (Alibaba Lingjun, 2023: 48 access switches, 3 aggregation switches), 90 % of them held; 4,000 gangs that come and go, three seeds. Counted: the switches of a level that a gang of several hosts touches, in the mean; fewer are better, and 1 is the least. The Philly mix is the jobs of eight accelerators and more of that trace (2017); the large one is made up: as many gangs of 2, 4, 8, 16, 32 and 64 hosts.
bench-topology-philly-leaf = Philly mix: access switches
bench-topology-philly-spine = Philly mix: aggregation switches
bench-topology-philly-leaf-best = Philly mix: access switches, best fit
bench-topology-philly-spine-best = Philly mix: aggregation switches, best fit
bench-topology-philly-leaf-first = Philly mix: access switches, first fit
bench-topology-philly-spine-first = Philly mix: aggregation switches, first fit
bench-topology-philly-leaf-random = Philly mix: access switches, at random
bench-topology-philly-spine-random = Philly mix: aggregation switches, at random
bench-topology-large-leaf = large mix: access switches
bench-topology-large-spine = large mix: aggregation switches
bench-topology-large-leaf-best = large mix: access switches, best fit
bench-topology-large-spine-best = large mix: aggregation switches, best fit
bench-topology-large-leaf-first = large mix: access switches, first fit
bench-topology-large-spine-first = large mix: aggregation switches, first fit
bench-topology-large-leaf-random = large mix: access switches, at random
bench-topology-large-spine-random = large mix: aggregation switches, at random

bench-scheduler = Planning passes of the core, without disk and engine: nodes of eight accelerators in a fabric, all held, and 100,000 workloads of 200 shapes waiting behind them (single tasks, gangs of four, parts of an accelerator). 1,000, 10,000 and 100,000 nodes where no size is given.
bench-scheduler-cold = a pass that remembers nothing, as after a restart; the fleet is full
bench-scheduler-arrival = one arrival, planned
bench-scheduler-fill = leases granted while the fleet fills
bench-scheduler-steady = one arrival and one end, planned; mean
bench-scheduler-steady-p99 = one arrival and one end, planned; 99th percentile
bench-scheduler-estimate = an explanation with its estimated start
bench-scheduler-memory = memory of the core
bench-scheduler-cold-1k = 1,000 nodes: a pass that remembers nothing, as after a restart; the fleet is full
bench-scheduler-arrival-1k = 1,000 nodes: one arrival, planned
bench-scheduler-fill-1k = 1,000 nodes: leases granted while the fleet fills
bench-scheduler-steady-1k = 1,000 nodes: one arrival and one end, planned; mean
bench-scheduler-steady-p99-1k = 1,000 nodes: one arrival and one end, planned; 99th percentile
bench-scheduler-estimate-1k = 1,000 nodes: an explanation with its estimated start
bench-scheduler-memory-1k = 1,000 nodes: memory of the core
bench-scheduler-cold-10k = 10,000 nodes: a pass that remembers nothing, as after a restart; the fleet is full
bench-scheduler-arrival-10k = 10,000 nodes: one arrival, planned
bench-scheduler-fill-10k = 10,000 nodes: leases granted while the fleet fills
bench-scheduler-steady-10k = 10,000 nodes: one arrival and one end, planned; mean
bench-scheduler-steady-p99-10k = 10,000 nodes: one arrival and one end, planned; 99th percentile
bench-scheduler-estimate-10k = 10,000 nodes: an explanation with its estimated start
bench-scheduler-memory-10k = 10,000 nodes: memory of the core
bench-scheduler-cold-100k = 100,000 nodes: a pass that remembers nothing, as after a restart; the fleet is full
bench-scheduler-arrival-100k = 100,000 nodes: one arrival, planned
bench-scheduler-fill-100k = 100,000 nodes: leases granted while the fleet fills
bench-scheduler-steady-100k = 100,000 nodes: one arrival and one end, planned; mean
bench-scheduler-steady-p99-100k = 100,000 nodes: one arrival and one end, planned; 99th percentile
bench-scheduler-estimate-100k = 100,000 nodes: an explanation with its estimated start
bench-scheduler-memory-100k = 100,000 nodes: memory of the core
bench-scheduler-cold-shares = 10,000 nodes, 100 projects of 10 tenants with shares, every other one at its maximum: a pass that remembers nothing
bench-scheduler-steady-shares = 10,000 nodes, the same shares, 1,000 shapes a pass: one arrival and one end, planned; mean
bench-scheduler-steady-p99-shares = 10,000 nodes, the same shares, 1,000 shapes a pass: one arrival and one end, planned; 99th percentile
bench-scheduler-burst = 1,000 nodes, idle: 10,000 accelerator jobs come at once, until the fleet is full
bench-scheduler-burst-starts = of them started by then
bench-scheduler-slurm-cycle = Slurm, 1,000 nodes, 10,000 waiting: a main cycle with 2,726 starts
bench-scheduler-slurm-backfill = Slurm: a job in backfill

bench-floor = What the disk and the kernel can do without a factory. Rows of 400 bytes, SQLite in WAL with synchronous=FULL.
bench-floor-one = commits of one row
bench-floor-by-32 = rows by 32
bench-floor-by-100 = rows by 100
bench-floor-fork-exec = the bare loop of fork and exec, eight at once, with two log files each
