"""A killed job: no traceback, no finally, only the last line it wrote."""
import sys
from subprocess import PIPE, Popen
JOB = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
try:
    for hour in range(72):
        print("hour", hour, flush=True); time.sleep(60)
finally:
    print("ended, and why")
"""

def test_the_log_says_why_the_job_ended():
    job = Popen([sys.executable, "-c", JOB], stdout=PIPE, text=True)
    log = [job.stdout.readline().strip()]
    job.kill()  # SIGKILL
    # fix: job.terminate()
    log += job.communicate()[0].splitlines()
    assert log[-1] == "ended, and why", (job.returncode, log)
