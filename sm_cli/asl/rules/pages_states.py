"""Pages of SM201 to SM207 and SM401 to SM703; see `pages` for the form."""

PAGES = r"""
== SM201
Names are unique in the whole definition, branches and processors included: histories and logs tell states apart by
their names alone.
-- bad
StartAt: A
States:
  A:
    Type: Parallel
    Branches:
      - {StartAt: B, States: {B: {Type: Succeed}}}
      - {StartAt: B, States: {B: {Type: Succeed}}}
    End: true
-- good
StartAt: A
States:
  A:
    Type: Parallel
    Branches:
      - {StartAt: B, States: {B: {Type: Succeed}}}
      - {StartAt: C, States: {C: {Type: Succeed}}}
    End: true

== SM202
A name has 1 to 80 characters. What wants more room belongs in Comment.
-- bad
StartAt: ""
States:
  "": {Type: Succeed}
-- good
StartAt: A
States:
  A: {Type: Succeed}

== SM203
StartAt, Next, Default and the Next of rules and catchers name a state of the same machine; a transition cannot enter
or leave a branch or a processor. Names are compared letter by letter.
-- bad
StartAt: A
States:
  A: {Type: Pass, Next: Finsh}
  Finish: {Type: Succeed}
-- good
StartAt: A
States:
  A: {Type: Pass, Next: Finish}
  Finish: {Type: Succeed}

== SM204
A Task, Parallel, Map, Message, Pass or Wait state says where it goes: exactly one of Next and End: true.
-- bad
StartAt: A
States:
  A: {Type: Pass}
-- good
StartAt: A
States:
  A: {Type: Pass, End: true}

== SM205
No way leads to a Succeed or Fail state or to one with End: true; the machine would run for ever.
-- bad
StartAt: A
States:
  A: {Type: Pass, Next: B}
  B: {Type: Pass, Next: A}
-- good
StartAt: A
States:
  A: {Type: Pass, Next: B}
  B: {Type: Pass, End: true}

== SM206
No way from StartAt leads to this state. Two states that name only each other are an island, which most tools miss.
AWS refuses a state that nothing names.
-- bad
StartAt: A
States:
  A: {Type: Succeed}
  B: {Type: Succeed}
-- good
StartAt: A
States:
  A: {Type: Pass, Next: B}
  B: {Type: Succeed}

== SM207
Once here, the execution goes round for ever: none of these states leads to an end.
-- bad
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {Variable: $.go, BooleanEquals: true, Next: B}
    Default: D
  B: {Type: Pass, Next: C}
  C: {Type: Pass, Next: B}
  D: {Type: Succeed}
-- good
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {Variable: $.go, BooleanEquals: true, Next: B}
    Default: D
  B: {Type: Pass, Next: C}
  C: {Type: Pass, Next: A}
  D: {Type: Succeed}

== SM401
A rule makes one test: one comparison of a Variable, or one of And, Or and Not.
-- bad
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {Variable: $.n, NumericGreaterThan: 1, NumericLessThan: 5, Next: B}
    Default: B
  B: {Type: Succeed}
-- good
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - And:
          - {Variable: $.n, NumericGreaterThan: 1}
          - {Variable: $.n, NumericLessThan: 5}
        Next: B
    Default: B
  B: {Type: Succeed}

== SM402
A comparison compares the value of its Variable; And, Or and Not have none of their own.
-- bad
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {NumericEquals: 1, Next: B}
    Default: B
  B: {Type: Succeed}
-- good
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {Variable: $.n, NumericEquals: 1, Next: B}
    Default: B
  B: {Type: Succeed}

== SM403
A timestamp is written as RFC3339 says, with a capital T and a zone: `2026-01-31T12:00:00Z` or `…+02:00`.
-- bad
StartAt: A
States:
  A: {Type: Wait, Timestamp: "2026-01-31 12:00", End: true}
-- good
StartAt: A
States:
  A: {Type: Wait, Timestamp: "2026-01-31T12:00:00Z", End: true}

== SM404
When no rule takes the input and there is no Default, the state fails with States.NoChoiceMatched, which nothing can
catch.
-- bad
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {Variable: $.n, NumericEquals: 1, Next: B}
  B: {Type: Succeed}
-- good
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {Variable: $.n, NumericEquals: 1, Next: B}
    Default: B
  B: {Type: Succeed}

== SM501
States.ALL matches every name that could stand beside it.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [States.ALL, Busy]}], End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [States.ALL]}], End: true}

== SM502
Retriers and catchers are tried in their order, and States.ALL takes everything: what follows could never be used.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [States.ALL]}, {ErrorEquals: [Busy]}], End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [Busy]}, {ErrorEquals: [States.ALL]}], End: true}

== SM503
Names that begin with States. are the language's own. A name that it does not have is most often misspelt.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [States.Timout]}], End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [States.Timeout]}], End: true}

== SM504
States.Runtime ends the execution at once: it is neither retried nor caught, not even by its own name.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [States.Runtime]}], End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [States.TaskFailed]}], End: true}

== SM505
Were the longest delay not longer than the first one, every delay would be the same.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [Busy], IntervalSeconds: 9, MaxDelaySeconds: 5}], End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [Busy], IntervalSeconds: 1, MaxDelaySeconds: 5}], End: true}

== SM506
The first retrier or catcher that matches is used, and no later one when it is used up. States.TaskFailed matches every
error of a task but States.Timeout.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [Busy]}, {ErrorEquals: [Full, Busy]}], End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [Busy]}, {ErrorEquals: [Full]}], End: true}

== SM507
This error cannot come from such a state: only a Map has items to read, only a Choice can find no match, and a
heartbeat is missed only where there is one.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: r, Retry: [{ErrorEquals: [States.HeartbeatTimeout]}], End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: r, HeartbeatSeconds: 60, Retry: [{ErrorEquals: [States.HeartbeatTimeout]}], End: true}

== SM601
A heartbeat that may come later than the timeout is never missed.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: r, TimeoutSeconds: 60, HeartbeatSeconds: 60, End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: r, TimeoutSeconds: 60, HeartbeatSeconds: 10, End: true}

== SM602
Which function serves a Task is decided when the definition is written: a Resource is never computed.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: $.function, End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: "process:order", End: true}

== SM603
The ARN of a Lambda function ends with its name, and after that with at most an alias or a version.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: "arn:aws:lambda:eu-west-1:123456789012:function:ship:", End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: "arn:aws:lambda:eu-west-1:123456789012:function:ship:PROD", End: true}

== SM604
Step Functions has integrations with some actions of this service, but not with this one, or not in this way: only some
services have jobs to wait for (.sync), only some hand a task token on (.waitForTaskToken). AWS refuses the ARN. Through
aws-sdk any action can be called.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: "arn:aws:states:::dynamodb:query", End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: "arn:aws:states:::aws-sdk:dynamodb:query", End: true}

== SM605
The task waits until somebody answers with its token, but the token is handed to nobody.
-- bad
StartAt: A
States:
  A:
    Type: Task
    Resource: arn:aws:states:::sqs:sendMessage.waitForTaskToken
    Parameters: {QueueUrl: q, MessageBody: hello}
    TimeoutSeconds: 3600
    End: true
-- good
StartAt: A
States:
  A:
    Type: Task
    Resource: arn:aws:states:::sqs:sendMessage.waitForTaskToken
    Parameters: {QueueUrl: q, MessageBody: {token.$: $$.Task.Token}}
    TimeoutSeconds: 3600
    End: true

== SM608
A token may never come back. Without a timeout or a heartbeat the execution waits for it until it is a year old.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: approve.waitForTaskToken, End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: approve.waitForTaskToken, TimeoutSeconds: 86400, End: true}

== SM701
A message may never come. Without a timeout the execution waits for ever.
-- bad
StartAt: A
States:
  A: {Type: Message, CorrelationKey: order, CorrelationValuePath: $.id, End: true}
-- good
StartAt: A
States:
  A: {Type: Message, CorrelationKey: order, CorrelationValuePath: $.id, TimeoutSeconds: 60, TimeoutPath: B, End: true}
  B: {Type: Fail}

== SM702
When the timeout of a Message passes it goes to TimeoutPath; without that it fails with States.Timeout.
-- bad
StartAt: A
States:
  A: {Type: Message, CorrelationKey: order, CorrelationValuePath: $.id, TimeoutSeconds: 60, End: true}
-- good
StartAt: A
States:
  A: {Type: Message, CorrelationKey: order, CorrelationValuePath: $.id, TimeoutSeconds: 60, TimeoutPath: B, End: true}
  B: {Type: Fail}

== SM703
CorrelationValue is a constant, and this constant looks like a path.
-- bad
StartAt: A
States:
  A: {Type: Message, CorrelationKey: order, CorrelationValue: $.id, TimeoutSeconds: 60, TimeoutPath: B, End: true}
  B: {Type: Fail}
-- good
StartAt: A
States:
  A: {Type: Message, CorrelationKey: order, CorrelationValuePath: $.id, TimeoutSeconds: 60, TimeoutPath: B, End: true}
  B: {Type: Fail}
"""
