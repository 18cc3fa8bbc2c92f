"""Where generated images are kept."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from surf_data.kernel.paging import uuid_keyset
from surf_data.kernel.postgres import Executor
from surf_data.screenshot.entities import identifier
from surf_data.screenshot.generated_image import GeneratedImage
from surf_data.screenshot.jobs import SHARED_COLUMNS, Generations, Job, Statements, count, target, text, with_project
from surf_data.screenshot.queries import screenshot_queries
from surf_data.screenshot.saving import checked, columns
from surf_data.screenshot.users import checked_limit

_IMAGE = (
    *SHARED_COLUMNS, "prompt", "size", "quality", "style", "seed", "image_url", "image_base64", "thumbnail_url",
    "storage_url", "storage_id", "mime_type", "file_size", "width", "height", "image_metadata",
)  # fmt: skip


class ImageRepository(Generations[GeneratedImage]):
    """Keeps generated images: what they are, and where in storage they are.

    Arguments:
        executor: runs the statements.
    """

    def __init__(self, executor: Executor) -> None:
        queries = screenshot_queries()
        statements = Statements(
            claim=queries.image_claim,
            renew=queries.image_renew,
            start=queries.image_start,
            fail=queries.image_fail,
            cancel=queries.image_cancel,
            view=queries.image_view,
            download=queries.image_download,
            rate=queries.image_rate,
            toggle_favorite=queries.image_toggle_favorite,
            feedback=queries.image_feedback_merge,
            metadata=queries.image_metadata_merge,
            delete=queries.image_delete,
        )
        super().__init__(executor, statements)

    def save(self, image: GeneratedImage) -> GeneratedImage:
        """Store a new image, or the changes to a known one.

        Returns:
            The same image, with its id and times.

        Raises:
            ValidationError: a field is refused, or there is no such project.
            TransactionConflict: it was changed since it was read.
            DatabaseError: it could not be stored.
        """
        queries = screenshot_queries()
        parameters = columns(checked(image, GeneratedImage), _IMAGE)
        insert = with_project(queries.image_insert, image.project_id)
        return self._save(image, parameters, insert, queries.image_update)

    def get(self, image_id: UUID | str) -> GeneratedImage | None:
        """Return an image by id; ``None`` if there is none."""
        return screenshot_queries().image_by_id(self._executor, id=identifier("image_id", image_id))

    def list_for_project(
        self,
        project_id: UUID | str,
        *,
        after: GeneratedImage | Mapping[str, Any] | None = None,
        limit: int = 50,
    ) -> list[GeneratedImage]:
        """Return the images of a project, the newest first.

        Arguments:
            project_id: the project.
            after: the last image of the page before.
            limit: how many at the most, 1 to 1,000.
        """
        moment, last = uuid_keyset("after", after)
        return screenshot_queries().image_list(
            self._executor,
            project_id=identifier("project_id", project_id),
            after_created_at=moment,
            after_id=last,
            row_limit=checked_limit(limit),
        )

    def complete(
        self,
        item: Job[GeneratedImage] | UUID | str,
        *,
        image_url: str | None = None,
        storage_id: str | None = None,
        storage_url: str | None = None,
        mime_type: str | None = None,
        file_size: int | None = None,
        width: int | None = None,
        height: int | None = None,
    ) -> bool:
        """Complete what is pending or under way; a job only while its lease was not taken over.

        Arguments:
            item: the job, or the id of the image.
            image_url: where it is, if not in storage.
            storage_id: its path in storage.
            storage_url: its URL in storage.
            mime_type: what it is.
            file_size: bytes.
            width: pixels.
            height: pixels.

        Returns:
            Whether it was.
        """
        item_id, token = target(item)
        changed = screenshot_queries().image_complete(
            self._executor,
            id=item_id,
            lease_token=token,
            image_url=text("image_url", image_url, 10_000),
            storage_id=text("storage_id", storage_id, 255),
            storage_url=text("storage_url", storage_url, 10_000),
            mime_type=text("mime_type", mime_type, 50),
            file_size=count("file_size", file_size),
            width=count("width", width, 1),
            height=count("height", height, 1),
        )
        return bool(changed)
