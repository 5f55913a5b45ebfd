"""Every project's catalogue as this process knows it: read, followed, swapped after an edit."""

from __future__ import annotations

from geofence.model.campaign import Campaign
from geofence.model.edit import EditResult
from geofence.model.place import Profile
from geofence.places.catalogue import Catalogue
from geofence.places.index_cache import IndexCache
from geofence.ports.queries import Queries

MOST_CAMPAIGNS = 1000


class Catalogues:
    """The catalogues by project. Used by one thread at a time, but `known` by any."""

    def __init__(self, queries: Queries, cache: IndexCache) -> None:
        self._queries, self._cache = queries, cache
        self._by_project: dict[str, Catalogue] = {}

    def catalogue(self, project_id: str, version: int | None = None) -> Catalogue:
        """The project's catalogue, read again where `version` says that it changed elsewhere."""
        known = self._by_project.get(project_id)
        if known is not None and version in (None, known.version):
            return known
        return self._load(project_id)

    def version(self, project_id: str) -> int | None:
        """The version of the project's catalogue as it is known here."""
        known = self._by_project.get(project_id)
        return None if known is None else known.version

    def committed(self, project_id: str) -> Catalogue:
        """The catalogue that an edit under way begins from.

        Other processes may have edited since it was queued, and none does before it ends.
        """
        project = self._queries.project(project_id)
        return self.catalogue(project_id, None if project is None else project.index_version)

    def adopt(self, project_id: str, edited: EditResult, version: int) -> None:
        """Swap in the catalogue that follows from a committed edit.

        It is read from the database where other processes edited meanwhile.
        """
        known = self._by_project.get(project_id)
        if known is not None and version == known.version and not edited.reload:
            return
        if known is None or edited.reload or version != known.version + 1:
            self._load(project_id)
        elif edited.campaigns:
            campaigns = self._campaigns(project_id)
            self._by_project[project_id] = known.with_campaigns(version, campaigns)
        else:
            self._by_project[project_id] = known.patched(version, edited.changed, edited.removed)

    def keep(self) -> None:
        """Write the indexes to where the next start finds them."""
        for project_id, catalogue in self._by_project.items():
            self._cache.save(project_id, catalogue.index, catalogue.fences)

    def _load(self, project_id: str) -> Catalogue:
        project = self._queries.project(project_id)
        version, default = (
            (project.index_version, project.profile) if project is not None else (0, Profile())
        )
        fences, campaigns = self._queries.geofences_by_uid(project_id), self._campaigns(project_id)
        known = self._by_project.get(project_id)
        if known is not None:
            catalogue = known.following(version, default, fences, campaigns)
        elif (kept := self._cache.load(project_id, fences)) is not None:
            catalogue = Catalogue.restored(version, default, *kept, fences, campaigns)
        else:
            catalogue = Catalogue.build(version, default, fences, campaigns)
            self._cache.save(project_id, catalogue.index, catalogue.fences)
        self._by_project[project_id] = catalogue
        return catalogue

    def _campaigns(self, project_id: str) -> list[Campaign]:
        return self._queries.campaigns.page(project_id, None, None, MOST_CAMPAIGNS)
