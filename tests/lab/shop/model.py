"""What the shop consists of and how AWS would name it. Facts only; nothing here runs."""

ACCOUNT = "111122223333"
REGION = "ap-northeast-1"
REGION_NAME = "Asia Pacific (Tokyo)"
CLUSTER = "shop"
ENVIRONMENT = "ecs:shop"
LOAD_BALANCER = "app/shop-alb/50dc6c495c0c9188"
DB_INSTANCE = "orders-db"
PAYMENTS = "payments.example"
QUEUE = "order-events"

ECS_SERVICES = ("storefront", "catalog", "orders", "fulfilment")

NODES = {
    "shop-alb": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "storefront": "AWS::ECS::Service",
    "catalog": "AWS::ECS::Service",
    "orders": "AWS::ECS::Service",
    "orders-db": "AWS::RDS::DBInstance",
    PAYMENTS: "RemoteService",
    QUEUE: "AWS::SQS::Queue",
    "fulfilment": "AWS::ECS::Service",
}
# Other companies' services: the shop has no metrics, logs or spans of theirs, and hears of no change.
THIRD_PARTIES = (PAYMENTS,)
# Run by AWS, which shows no logs of them.
MANAGED = (QUEUE,)
# The module of a service under `lab.services`, where it has another name.
MODULES = {"shop-alb": "alb", PAYMENTS: "payment_provider", QUEUE: "message_queue"}

CALLS = (
    ("shop-alb", "storefront"),
    ("storefront", "catalog"),
    ("storefront", "orders"),
    ("catalog", "orders-db"),
    ("orders", "orders-db"),
    ("orders", PAYMENTS),
)
# Work is handed over without waiting; in the direction in which the messages go.
HANDOVERS = (
    ("orders", QUEUE),
    (QUEUE, "fulfilment"),
)

# What a task may use: its utilization metrics are percentages of these.
TASK_CPU_VCPU = 1.0
TASK_MEMORY_BYTES = 256 * 1024 * 1024


def service_arn(service: str) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{CLUSTER}/{service}"


def task_definition_arn(family: str, revision: int) -> str:
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{family}:{revision}"


def alarm_arn(name: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def topic_arn(name: str) -> str:
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
