#!/bin/sh
# Squares of ten numbers, as an array: a script for Slurm that runs here as it is.
#
#   eaf submit examples/array.sh
#
#SBATCH --job-name=squares
#SBATCH --array=1-10
#SBATCH --ntasks=1 --cpus-per-task=1
#SBATCH --mem=64M
#SBATCH --time=0:01:00

echo "$EAF_ARRAY_INDEX squared is $((EAF_ARRAY_INDEX * EAF_ARRAY_INDEX))"
