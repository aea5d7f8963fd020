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
file-two-to-run = a command and a script cannot both be run
kind-table = must be a table
kind-text = must be a text
kind-texts = must be a list of texts
kind-integer = must be a whole number
kind-integer-in-range = is a whole number that is out of range
kind-figure = must be a figure
kind-ids = must be a list of workload ids, such as ["wl-12"]
kind-array = must be index values, such as "0-9" or [1, 3, 7]
kind-accelerators = must be a count, such as 4 or "4:MI355X", or a table of count, share and models
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
