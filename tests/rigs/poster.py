"""A client that posts while the service is killed and started again."""

from __future__ import annotations

import threading
import time

import httpx

from tests.rigs.running import Service


class Poster(threading.Thread):
    """Posts its bodies in order, each again until it is answered."""

    def __init__(self, service: Service, bodies: list[bytes]) -> None:
        super().__init__(daemon=True)
        self.service, self.bodies = service, bodies
        self.answered = 0
        self.again = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        with self.service.client() as client:
            for body in self.bodies:
                while not self._answered(client, body):
                    self.again += 1
                    time.sleep(0.05)
                self.answered += 1

    def _answered(self, client: httpx.Client, body: bytes) -> bool:
        try:
            answer = client.post("/v1/pings", content=body)
        except httpx.TransportError:
            return False
        if answer.status_code == httpx.codes.ACCEPTED:
            if answer.json()["rejected"]:
                self.wrong.append(answer.text)
            return True
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            self.wrong.append(f"{answer.status_code} {answer.text}")
        return answer.status_code != httpx.codes.SERVICE_UNAVAILABLE
