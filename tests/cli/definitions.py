"""Workflows that wait, each for something else: a handler, the time, a message, a callback."""

INVOKE = """
StartAt: A
States:
  A: {Type: Task, Resource: "arn:aws:states:::lambda:invoke", Parameters: {FunctionName.$: $.function}, End: true}
"""
WAIT = "StartAt: A\nStates:\n  A: {Type: Wait, Seconds: 3600, End: true}\n"
MESSAGE = "StartAt: A\nStates:\n  A: {Type: Message, CorrelationKey: k, CorrelationValue: v, End: true}\n"
CALLBACK = """
StartAt: A
States:
  A:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
    Parameters: {FunctionName: work, Payload: {token.$: $$.Task.Token}}
    End: true
"""
