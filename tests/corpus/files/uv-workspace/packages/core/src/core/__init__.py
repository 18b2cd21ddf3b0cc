def hello() -> str:
    return "hello from core"
