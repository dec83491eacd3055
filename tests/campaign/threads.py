"""Several at the same instant."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def together(tasks: Sequence[Callable[[], T]], *, at_once: int = 12) -> list[T]:
    """What each returns, in the order given; `at_once` of them run at a time, and the first ones start together."""
    start = threading.Barrier(min(at_once, len(tasks)))

    def first(task: Callable[[], T]) -> T:
        start.wait()
        return task()

    with ThreadPoolExecutor(at_once) as pool:
        running = [pool.submit(first, task) for task in tasks[: start.parties]]
        running += [pool.submit(task) for task in tasks[start.parties :]]
        return [each.result() for each in running]
