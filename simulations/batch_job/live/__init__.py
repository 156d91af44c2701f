"""The flight recorder of a real long job: it runs the job, samples it, and says how it ended and why."""
