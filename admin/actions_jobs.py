"""Jobs tried again, or given up for good, by whoever looks after the queue. The queue's own functions change it."""

from sqlalchemy import text

from admin.queries_jobs import JobLine
from portal import audit, db
from portal.db import session
from portal.jobs import JobSettled

MOST_AT_ONCE = 1000


class NotFailed(Exception):
    """This job did not fail, or runs again."""


class StartedByTheClock(Exception):
    """The clock starts this job again by itself."""


class StillRuns(Exception):
    """A job that runs now cannot be given up, nor one that is over."""


def retry(job: JobLine) -> None:
    """Put a job that failed in the queue again. Raises NotFailed, StartedByTheClock."""
    if job.status != "failed":
        raise NotFailed
    if job.by_clock:
        raise StartedByTheClock
    session.execute(_RETRY_ONE, {"id": job.id})
    session.execute(_UNSETTLE, {"id": job.id})
    audit.record("job.retried", object_kind="job", job=job.id, task=job.task)


def retry_all(task: str = "", door: str = "") -> int:
    """The same for every job of this name that failed and that nobody settled, or for those that this door stopped;
    a thousand at most. Returns how many."""
    found = session.execute(_RETRY_ALL, {"task": task, "door": door, "most": MOST_AT_ONCE}).all()
    if found:
        audit.record("job.retried", object_kind="job", task=task or None, door=door or None, jobs=len(found))
    return len(found)


def give_up(job: JobLine, reason: str) -> None:
    """Do a job no more: one that failed is settled, one that waits leaves the queue. Raises StillRuns."""
    if job.status == "todo":
        if session.scalar(_CANCEL, {"id": job.id}) is None:
            raise StillRuns
    elif job.status != "failed":
        raise StillRuns
    session.merge(JobSettled(job_id=job.id, reason=reason, settled_by=db.current_actor().name, settled_at=db.now()))
    session.flush()
    audit.record("job.given_up", object_kind="job", job=job.id, task=job.task)


_RETRY_ONE = text("select procrastinate_retry_job_v2(:id, now(), null, null, null)")
_UNSETTLE = text("delete from job_settled where job_id = :id")
_CANCEL = text("select procrastinate_cancel_job_v1(:id, false, false)")
_RETRY_ALL = text(
    "select procrastinate_retry_job_v2(failed.id, now(), null, null, null) from (select j.id from procrastinate_jobs j"
    " left join job_trouble t on t.job_id = j.id where j.status = 'failed' and j.queueing_lock is null"
    " and (:task = '' or j.task_name = :task) and (:door = '' or t.door = :door)"
    " and not exists (select 1 from job_settled s where s.job_id = j.id) order by j.id limit :most) failed"
)
