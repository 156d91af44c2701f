"""The 72-hour batch job: workload, database, platform, people; and, in `live`, the flight recorder."""
