"""What the shop consists of and how AWS would name it. Facts only; nothing here runs."""

ACCOUNT = "111122223333"
REGION = "ap-northeast-1"
REGION_NAME = "Asia Pacific (Tokyo)"
CLUSTER = "shop"
ENVIRONMENT = "ecs:shop"
LOAD_BALANCER = "app/shop-alb/50dc6c495c0c9188"
DB_INSTANCE = "orders-db"

ECS_SERVICES = ("storefront", "catalog", "orders")

NODES = {
    "shop-alb": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "storefront": "AWS::ECS::Service",
    "catalog": "AWS::ECS::Service",
    "orders": "AWS::ECS::Service",
    "orders-db": "AWS::RDS::DBInstance",
}

CALLS = (
    ("shop-alb", "storefront"),
    ("storefront", "catalog"),
    ("storefront", "orders"),
    ("catalog", "orders-db"),
    ("orders", "orders-db"),
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
