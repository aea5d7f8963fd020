# The receipt for people, and why one is not accepted.

receipt-title = Receipt for { $id } ({ $name })
receipt-pretended = PRETENDED accelerators: this factory tries things out, and no such hardware ran.
receipt-factory = Factory
receipt-project = Project
receipt-by = Submitted by
receipt-state = State
receipt-submitted = Submitted
receipt-ended = Ended
receipt-journal = Journal
receipt-key = Key
receipt-fingerprint = Fingerprint
receipt-signature-value = Signature
receipt-attempt = Attempt { $attempt } ({ $lease })
receipt-span = { $started } to { $ended }, price book { $book }
receipt-never-started = not all of its tasks started
receipt-checkpoint = could go on from its checkpoint of { $at }
receipt-task = task { $rank } on { $node }: { $exit }
receipt-tasks = tasks { $first } to { $last } on { $node }: { $exit }
receipt-attempt-pretended = its accelerators are pretended
receipt-total = Total
receipt-preempted-kept = it made room for { $by }, and its progress was kept
receipt-preempted-lost = it made room for { $by }; accelerator time lost by that: { $lost }
receipt-waiver-never-started = nothing is charged: it never started
receipt-waiver-factory-fault = nothing is charged: it was lost to a fault of the factory

# Figures, by the last part of their names.
receipt-figure-wall = Time held
receipt-figure-cpu-time = CPU time used
receipt-figure-memory-peak = Memory at its peak
receipt-figure-accelerator-busy = Accelerators busy
receipt-figure-energy = Energy of the machines
receipt-figure-energy-counter = Energy by counters
receipt-figure-energy-cpu = Energy of the CPU
receipt-figure-energy-memory = Energy of the memory
receipt-figure-energy-accelerator = Energy of { $model }
receipt-figure-site-energy = Energy with the site's share
receipt-figure-carbon = Carbon (CO2 equivalent)
receipt-figure-charge-cpu = Charge for CPU
receipt-figure-charge-memory = Charge for memory
receipt-figure-charge-accelerator = Charge for { $model }
receipt-figure-waived = Waived
receipt-figure-equivalent = H100 equivalent
receipt-figure-equivalent-accelerator = H100 equivalent, { $model }
receipt-figure-price = Price before tax

receipt-won = { $won } won
receipt-basis-measured = measured
receipt-basis-estimated = estimated
receipt-unknown = unknown
receipt-unknown-no-counter = no counter tells
receipt-unknown-no-power-figure = the power model has no figure
receipt-unknown-no-exchange-rate = nobody has published a rate
receipt-unknown-no-pue = the site's share is not known
receipt-unknown-no-carbon-profile = there is no carbon profile
receipt-unknown-made-from-unknown = made from an unknown figure
receipt-unknown-out-of-range = too large

# Why a receipt is not accepted.
receipt-too-large = The file has { $bytes } bytes; a receipt has at most { $max }.
receipt-not-utf8 = Line { $line } is not UTF-8 text, so this is not a receipt as it was signed.
receipt-no-seal = Line { $line }: { $field } is missing, cut or not as a factory writes it. Get the whole receipt again.
receipt-foreign-key = Line { $line }: seal.key is { $stated }, and the expected key is { $pinned }. It is not this factory's receipt, or --key names another factory.
receipt-changed = Line { $line }: { $field } was changed after the receipt was signed.
receipt-changed-figure = Line { $line }: { $field } was changed after the receipt was signed: { $mismatch }.
receipt-seal-changed = Line { $line }: { $field } was changed; the rest is as it was signed.
receipt-signature = Line { $line }: seal.signature is not a signature of this receipt by its key.
receipt-malformed = Line { $line }: { $problem }
receipt-not-canonical = Line { $line }: { $field } is not written as a factory writes it.
receipt-formula = Line { $line }: the formula of { $figure } has no value: { $formula }.
receipt-does-not-add-up = Line { $line }: { $mismatch }.
receipt-mismatch = { $figure } is stated as { $stated } and comes to { $recomputed }

# Why there is no key to sign receipts with.
receipt-key-io = Cannot { $doing }: { $path }: { $why }.
receipt-key-not-a-key = { $path } is not a receipt key. Restore it from a backup, or move it away to have another made.
receipt-key-exposed = { $path } has mode { $mode }, so others may read it. Run chmod 600 on it, and replace it if somebody may have read it.
receipt-key-randomness = The system gives no randomness for a receipt key: { $why }.
receipt-key-not-public = This is not a receipt key. Expected are 44 characters of base64, as in receipt.pub.
