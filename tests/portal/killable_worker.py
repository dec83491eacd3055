"""A worker in a process of its own, to be killed in the middle of a job.

`python -m tests.portal.killable_worker STAGE DATABASE_URL`: at STAGE (door, effect or done) the job says so on the
standard output and waits for the end.
"""

import sys

from portal import db, jobs
from tests.portal import jobs_under_test

if __name__ == "__main__":
    jobs_under_test.stop_at, url = sys.argv[1:]
    db.connect(url)
    jobs.work(url, concurrency=1)
