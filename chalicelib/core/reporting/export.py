"""Export contacts or executions in a background job. The file is written in parts; writing a part twice is safe."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from chalicelib.core.queueing.enqueue_job import enqueue_job
from chalicelib.core.reporting.export_writer import (
    CONTACT_COLUMNS,
    EXECUTION_COLUMNS,
    extra_columns,
    write_contacts,
    write_executions,
    write_header,
)
from chalicelib.core.reporting.list_executions import list_executions
from chalicelib.errors import Conflict, InvalidRequest, NotFound
from chalicelib.model.contact import Contact
from chalicelib.model.export_job import DataExport, ExportOf, ExportRequest, ExportStatus
from chalicelib.model.flow import Flow
from chalicelib.model.ids import WorkspaceUid, new_uid
from chalicelib.model.import_job import Format
from chalicelib.model.queue_messages import Export
from chalicelib.ports import Page, Ports

#: Contacts or executions per read. At 1 KB each, a page is 0.5 MB.
PAGE_ROWS = 500
#: Smallest part that S3 accepts, except for the last one.
PART_BYTES = 5 * 1_048_576
#: With less time left than this, a new job continues the export.
RESERVE = timedelta(seconds=10)
#: Most columns of attributes and consent in a CSV file. JSON Lines have no limit.
MAX_EXTRA_COLUMNS = 500


def start_export(ports: Ports, workspace: WorkspaceUid, request: ExportRequest) -> DataExport:
    """Store and queue an export. Raises NotFound if the flow does not exist."""
    if request.flow_uid:
        ports.catalog.get(workspace, Flow, request.flow_uid)
    uid, now = new_uid(), ports.clock.now()
    file = f"{workspace}/exports/{uid}/{request.of}.{request.format}"
    task = DataExport(uid=uid, created_at=now, updated_at=now, request=request, file=file)
    enqueue_job(ports, workspace, task, Export(workspace=workspace, uid=uid))
    return task


def run_export(ports: Ports, job: Export, time_left: Callable[[], timedelta]) -> None:
    """Continue an export from its stored progress, and queue the job again before its time is over."""
    workspace = job.workspace
    task = ports.catalog.find(workspace, DataExport, job.uid)
    if task is None or task.is_over:
        return
    try:
        _Writer(ports, workspace, time_left).run(task)
    except Conflict:
        return  # Another delivery of this message is further ahead.
    except (InvalidRequest, NotFound) as error:
        task = ports.catalog.get(workspace, DataExport, job.uid)
        failed = {"status": ExportStatus.FAILED, "fault": str(error), "completed_at": ports.clock.now()}
        ports.catalog.save(workspace, task.model_copy(update=failed))


class _Writer:
    """One run of the job."""

    def __init__(self, ports: Ports, workspace: WorkspaceUid, time_left: Callable[[], timedelta]) -> None:
        self._ports, self._workspace, self._time_left = ports, workspace, time_left

    def run(self, task: DataExport) -> None:
        if task.status is ExportStatus.QUEUED:
            task = self._begin(task)
        while self._time_left() > RESERVE:
            task = self._find_columns(task) if task.finding_columns else self._write_part(task)
            if task.is_over:
                return
        self._ports.jobs.send(Export(workspace=self._workspace, uid=task.uid))

    def _begin(self, task: DataExport) -> DataExport:
        is_contacts = task.request.of is ExportOf.CONTACTS
        return self._save(
            task,
            status=ExportStatus.RUNNING,
            token=self._ports.multipart_files.begin(task.file),
            columns=CONTACT_COLUMNS if is_contacts else EXECUTION_COLUMNS,
            finding_columns=is_contacts and task.request.format is Format.CSV,
        )

    def _find_columns(self, task: DataExport) -> DataExport:
        """Collect the columns of one page of contacts. This first pass ends before the first part is written."""
        page = self._ports.contacts.page(self._workspace, PAGE_ROWS, task.cursor)
        known = {*task.columns[len(CONTACT_COLUMNS) :], *extra_columns(self._filter(task, page))}
        columns = (*CONTACT_COLUMNS, *sorted(known)[:MAX_EXTRA_COLUMNS])
        if columns == task.columns and page.cursor:
            return task.model_copy(update={"cursor": page.cursor})
        return self._save(task, columns=columns, cursor=page.cursor, finding_columns=page.cursor is not None)

    def _write_part(self, task: DataExport) -> DataExport:
        """Write one part. Returns the task unchanged if there is no time left for a whole part."""
        body = b"" if task.parts or task.request.format is Format.JSON_LINES else write_header(task.columns)
        count = 0
        for text, rows, cursor in self._pages(task):
            body, count = body + text, count + rows
            if cursor is None:
                return self._close(task, body, count)
            if len(body) >= PART_BYTES:
                part = self._ports.multipart_files.put_part(task.file, task.token, len(task.parts) + 1, body)
                return self._save(task, parts=(*task.parts, part), cursor=cursor, rows=task.rows + count)
            if self._time_left() <= RESERVE:
                break
        return task

    def _close(self, task: DataExport, body: bytes, count: int) -> DataExport:
        files = self._ports.multipart_files
        if body or not task.parts:
            parts = (*task.parts, files.put_part(task.file, task.token, len(task.parts) + 1, body))
        else:
            parts = task.parts
        try:
            files.finish(task.file, task.token, parts)
        except NotFound:
            # An earlier run may have finished the file and crashed before it saved the task. If there is no file,
            # this read raises NotFound and the export fails.
            next(self._ports.files.lines(task.file, 0), None)
        done = {"status": ExportStatus.COMPLETED, "completed_at": self._ports.clock.now()}
        return self._save(task, rows=task.rows + count, cursor=None, **done)

    def _pages(self, task: DataExport) -> Iterator[tuple[bytes, int, str | None]]:
        """Yield the text, the number of rows and the next cursor of each page."""
        cursor = task.cursor
        while True:
            text, rows, cursor = self._page(task, cursor)
            yield text, rows, cursor
            if cursor is None:
                return

    def _page(self, task: DataExport, cursor: str | None) -> tuple[bytes, int, str | None]:
        if task.request.flow_uid:
            flow = self._ports.catalog.get(self._workspace, Flow, task.request.flow_uid)
            found = list_executions(self._ports, self._workspace, flow, None, PAGE_ROWS, cursor)
            return write_executions(found.items), len(found.items), found.cursor
        page = self._ports.contacts.page(self._workspace, PAGE_ROWS, cursor)
        contacts = self._filter(task, page)
        return write_contacts(contacts, task.request.format, task.columns), len(contacts), page.cursor

    def _filter(self, task: DataExport, page: Page[Contact]) -> list[Contact]:
        tag, status = task.request.tag, task.request.status
        return [each for each in page.items if (tag is None or tag in each.tags) and status in {None, each.status}]

    def _save(self, task: DataExport, **changes: object) -> DataExport:
        changed = task.model_copy(update={**changes, "updated_at": self._ports.clock.now()})
        return self._ports.catalog.save(self._workspace, changed)
