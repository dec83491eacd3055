"""A step whose questions depend on where the stay is: the sites of the group, the price of a room."""

from typing import Any

from services.preadmission.models import Preadmission
from services.preadmission.steps.step import StepForm


class FileForm(StepForm):
    """A step's form that knows its file. file: None when nobody said which (a form built to be looked at)."""

    def __init__(self, *arguments: Any, file: Preadmission | None = None, **values: Any) -> None:
        self.file = file
        super().__init__(*arguments, **values)

    @classmethod
    def shown(cls, answers: Any, file: Preadmission) -> dict[str, Any]:
        return {**super().shown(answers, file), "file": file}
