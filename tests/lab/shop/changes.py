"""Changes that were really made to the shop, noted with the event that AWS would have sent for them."""

import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from lab.shop import model


@dataclass(frozen=True)
class Deployment:
    id: str
    service: str
    actor: str
    summary: str


class Changes:
    def __init__(self):
        self.records: list[dict] = []

    def deployment_started(self, service: str, actor: str, summary: str, revisions: tuple[int, int]) -> Deployment:
        """`revisions` of the task definition: the one that runs and the one that is wanted."""
        number = 10**18 + secrets.randbelow(9 * 10**18)
        deployment = Deployment(f"ecs-svc/{number}", service, actor, summary)
        now = time.time()
        record = _record(now, service, "deployment", actor, f"{summary} (requested)")
        record["raw"] = _update_service_event(deployment, revisions, now)
        self.records.append(record)
        self._note_deployment(deployment, "SERVICE_DEPLOYMENT_IN_PROGRESS", "in progress")
        return deployment

    def deployment_completed(self, deployment: Deployment) -> None:
        self._note_deployment(deployment, "SERVICE_DEPLOYMENT_COMPLETED", "completed")

    def configuration(self, service: str, actor: str, summary: str) -> None:
        self.records.append(_record(time.time(), service, "configuration", actor, summary))

    def task_stopped(self, service: str, reason: str, exit_code: int) -> None:
        """EventBridge's "ECS Task State Change" of a task whose container ended by itself."""
        detail = {"lastStatus": "STOPPED", "stoppedReason": "Essential container in task exited"}
        detail["containers"] = [{"name": "app", "exitCode": exit_code, "reason": reason}]
        self._note_task(service, f"task stopped, exit code {exit_code}: {reason}", detail)

    def task_started(self, service: str) -> None:
        self._note_task(service, "task started", {"lastStatus": "RUNNING"})

    def _note_task(self, service: str, summary: str, detail: dict) -> None:
        now = time.time()
        record = _record(now, service, "task", "ecs.amazonaws.com", f"{service}: {summary}")
        record["raw"] = _event("ECS Task State Change", service, {"group": f"service:{service}"} | detail, now)
        self.records.append(record)

    def _note_deployment(self, deployment: Deployment, event: str, state: str) -> None:
        now = time.time()
        summary = f"{deployment.summary} ({state})"
        record = _record(now, deployment.service, "deployment", deployment.actor, summary)
        record["raw"] = _deployment_event(deployment, event, state, now)
        self.records.append(record)


def _record(now: float, resource: str, kind: str, actor: str, summary: str) -> dict:
    return {"t": int(now * 1000), "resource": resource, "kind": kind, "actor": actor, "summary": summary}


def _update_service_event(deployment: Deployment, revisions: tuple[int, int], now: float) -> dict:
    """The shape of CloudTrail's `UpdateService`: the answer lists what is wanted and what still runs."""
    running, wanted = revisions
    return {
        "eventVersion": "1.09",
        "eventSource": "ecs.amazonaws.com",
        "eventName": "UpdateService",
        "eventTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "awsRegion": model.REGION,
        "recipientAccountId": model.ACCOUNT,
        "userIdentity": {"type": "AssumedRole", "arn": deployment.actor},
        "requestParameters": {
            "cluster": model.CLUSTER,
            "service": deployment.service,
            "taskDefinition": f"{deployment.service}:{wanted}",
        },
        "responseElements": {
            "service": {
                "serviceArn": model.service_arn(deployment.service),
                "deployments": [
                    {
                        "id": deployment.id,
                        "status": "PRIMARY",
                        "taskDefinition": model.task_definition_arn(deployment.service, wanted),
                    },
                    {"status": "ACTIVE", "taskDefinition": model.task_definition_arn(deployment.service, running)},
                ],
            }
        },
    }


def _deployment_event(deployment: Deployment, event: str, state: str, now: float) -> dict:
    """The shape of EventBridge's "ECS Deployment State Change"."""
    detail = {
        "eventType": "INFO",
        "eventName": event,
        "deploymentId": deployment.id,
        "updatedAt": _utc(now),
        "reason": f"ECS deployment {deployment.id} {state}.",
    }
    return _event("ECS Deployment State Change", deployment.service, detail, now)


def _event(kind: str, service: str, detail: dict, now: float) -> dict:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": "aws.ecs",
        "account": model.ACCOUNT,
        "time": _utc(now),
        "region": model.REGION,
        "resources": [model.service_arn(service)],
        "detail": detail,
    }


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
