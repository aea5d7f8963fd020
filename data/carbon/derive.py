#!/usr/bin/env python3
"""Derives a carbon profile (twelve months of 24 hours, local time) from an hourly file of your own.

Usage: derive.py FILE.csv[.gz] --offset-minutes 540 --source "where it is from" > profile.toml

The file has a header and two columns: the start of the hour in UTC (ISO 8601 with Z) and grams of CO2 equivalent per
kWh. Each cell is the mean of its hours, rounded to a milligram; a cell without hours is an error.
"""
import argparse
import csv
import datetime
import gzip
import json
import sys
from decimal import Decimal, ROUND_HALF_UP


def cells(path, offset):
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    sums = [[Decimal(0), 0] for _ in range(12 * 24)]
    with opened as file:
        rows = csv.reader(file)
        next(rows)
        for utc, grams in rows:
            local = datetime.datetime.fromisoformat(utc.replace("Z", "+00:00")) + offset
            cell = sums[(local.month - 1) * 24 + local.hour]
            cell[0] += Decimal(grams)
            cell[1] += 1
    if any(count == 0 for _, count in sums):
        sys.exit("the file does not cover every hour of every month")
    return [int((1000 * total / count).quantize(Decimal(1), ROUND_HALF_UP)) for total, count in sums]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--offset-minutes", type=int, required=True, help="local time ahead of UTC")
    parser.add_argument("--source", required=True, help="shown with the profile")
    arguments = parser.parse_args()
    profile = cells(arguments.file, datetime.timedelta(minutes=arguments.offset_minutes))
    print(f"source = {json.dumps(arguments.source, ensure_ascii=False)}")
    print(f"utc_offset_minutes = {arguments.offset_minutes}")
    print("# Milligrams of CO2 equivalent per kWh: a block a month from January, an entry an hour from midnight.")
    print("milligrams_per_kwh = [")
    for month in range(12):
        for half in range(2):
            first = month * 24 + half * 12
            print("    " + " ".join(f"{value}," for value in profile[first : first + 12]))
    print("]")


if __name__ == "__main__":
    main()
