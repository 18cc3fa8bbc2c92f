"""Generated code: what a model was asked for and what it gave."""

from datetime import datetime
from typing import Any
from uuid import UUID

import attrs

from surf_data.screenshot import fields
from surf_data.screenshot.entities import Style, stored
from surf_data.screenshot.enums import CodeStack, GenerationProvider, GenerationStatus, GenerationType
from surf_data.screenshot.generation import Generated

_CODE_SUMMARY = (
    "id", "name", "code_stack", "provider", "model", "status", "generation_type", "version", "is_favorite", "rating",
    "view_count", "code_size", "generation_time_seconds", "created_at", "updated_at",
)  # fmt: skip


@attrs.define
class GeneratedCode(Generated):
    """A version of a project's code. The number of the version is given when it is saved."""

    id: UUID | None = fields.uuid()
    name: str | None = fields.text(255)
    code: str = fields.text(4_000_000, "", shown=False)
    code_stack: CodeStack = fields.choice(CodeStack, CodeStack.HTML_TAILWIND)
    provider: GenerationProvider | None = fields.choice(GenerationProvider, None, required=True)
    model: str = fields.text(100, "")
    status: GenerationStatus = fields.choice(GenerationStatus, GenerationStatus.PENDING)
    generation_type: GenerationType = fields.choice(GenerationType, GenerationType.CREATE)
    original_prompt: str | None = fields.text(100_000)
    revised_prompt: str | None = fields.text(100_000)
    additional_instructions: str | None = fields.text(100_000)
    input_image_url: str | None = fields.text(10_000, shown=False)
    result_image_url: str | None = fields.text(10_000, shown=False)
    generation_params: dict[str, Any] = fields.document()
    temperature: float | None = fields.number()
    max_tokens: int | None = fields.integer()
    prompt_tokens: int | None = fields.integer()
    completion_tokens: int | None = fields.integer()
    total_tokens: int | None = fields.integer()
    generation_time_seconds: float | None = fields.number(0)
    error_message: str | None = fields.text(10_000)
    error_details: dict[str, Any] = fields.document()
    correlation_id: str | None = fields.text(255)
    version: int = fields.integer(0)
    #: What an update or a refinement began with.
    parent_id: UUID | None = fields.uuid()
    is_favorite: bool = fields.flag()
    rating: float | None = fields.number(1, 5)
    feedback: dict[str, Any] = fields.document()
    view_count: int = fields.integer(0)
    copy_count: int = fields.integer(0)
    download_count: int = fields.integer(0)
    metrics: dict[str, Any] = fields.document()
    metadata: dict[str, Any] = fields.document()
    project_id: UUID | None = fields.uuid(required=True)
    started_at: datetime | None = fields.moment()
    completed_at: datetime | None = fields.moment()
    created_at: datetime | None = fields.moment()
    updated_at: datetime | None = fields.moment()

    @property
    def code_size(self) -> int:
        """How many characters the code has."""
        return len(self.code)

    @property
    def lines(self) -> int:
        """How many lines the code has."""
        return len(self.code.split("\n")) if self.code else 0

    @property
    def words(self) -> int:
        """How many words the code has, as spaces separate them."""
        return len(self.code.split())

    @property
    def is_create(self) -> bool:
        """Whether it was made from a screenshot."""
        return self.generation_type is GenerationType.CREATE

    @property
    def is_update(self) -> bool:
        """Whether it was made of other code."""
        return self.generation_type is GenerationType.UPDATE

    @property
    def is_refine(self) -> bool:
        """Whether it improves other code."""
        return self.generation_type is GenerationType.REFINE

    def update_copy(self) -> None:
        """Count a copy in this object; `CodeRepository.record_copy` does it in the row."""
        self.copy_count += 1

    def set_token_usage(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Note how many tokens it took; the total is their sum."""
        self.prompt_tokens, self.completion_tokens = prompt_tokens, completion_tokens
        self.total_tokens = prompt_tokens + completion_tokens

    def get_metric(self, key: str, default: Any = None) -> Any:
        """Return a metric; the default where there is none, or null."""
        return stored(self.metrics, key, default)

    def set_metric(self, key: str, value: Any) -> None:
        """Set a metric in this object."""
        self.metrics = {**self.metrics, key: value}

    def to_summary(self, style: Style = "camel") -> dict[str, Any]:
        """Return for JSON what a list shows: not the code."""
        return self.selected(_CODE_SUMMARY, style)


@attrs.frozen
class CodeSummary:
    """A version of a project's code without the code."""

    id: UUID
    name: str | None
    code_stack: str
    provider: str
    model: str
    status: str
    generation_type: str
    version: int
    is_favorite: bool
    rating: float | None
    view_count: int
    generation_time_seconds: float | None
    created_at: datetime
    updated_at: datetime
    #: Characters.
    code_size: int


@attrs.frozen
class CodeUsage:
    """What a user's code has taken."""

    codes: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    seconds: float
