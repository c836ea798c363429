"""Pages of SM301 to SM330; see `pages` for the form."""

PAGES = r"""
== SM301
A path begins with $ (the input), $$ (the context object) or $name (a variable), and goes on with .member, ['member'],
[0], a slice, * or a filter.
-- bad
StartAt: A
States:
  A: {Type: Pass, InputPath: "$.orders[", End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, InputPath: "$.orders[0]", End: true}

== SM302
A field that places a value, or that needs exactly one, takes a Reference Path: members and indexes only, no *, no
slices, no filters.
-- bad
StartAt: A
States:
  A: {Type: Pass, ResultPath: "$.orders[*].state", End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, ResultPath: "$.orders[0].state", End: true}

== SM303
ResultPath places the result in the state's input; the context object and variables cannot be written to.
-- bad
StartAt: A
States:
  A: {Type: Pass, ResultPath: $$.result, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, ResultPath: $.result, End: true}

== SM304
ErrorPath, CausePath and CorrelationValuePath hold a path or an intrinsic function call.
-- bad
StartAt: A
States:
  A: {Type: Fail, CausePath: the reason}
-- good
StartAt: A
States:
  A: {Type: Fail, CausePath: $.reason}

== SM305
A key that ends in .$ says that its value is to be evaluated, so the value is a path or an intrinsic function call.
-- bad
StartAt: A
States:
  A: {Type: Pass, Parameters: {id.$: "States.Uuid()"}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Parameters: {id.$: "States.UUID()"}, End: true}

== SM306
With these constants the call fails whenever it runs: the placeholders do not match the arguments, the algorithm is
unknown, a number is out of range.
-- bad
StartAt: A
States:
  A: {Type: Pass, Parameters: {text.$: "States.Format('{} of {}', $.n)"}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Parameters: {text.$: "States.Format('{} of {}', $.n, $.m)"}, End: true}

== SM307
The keys `a` and `a.$` both make a member `a`; only one of them can.
-- bad
StartAt: A
States:
  A: {Type: Pass, Parameters: {id: 1, id.$: $.id}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Parameters: {id.$: $.id}, End: true}

== SM308
Without .$ at the end of its key a value is a constant: the state would hand on the text of the path.
-- bad
StartAt: A
States:
  A: {Type: Pass, Parameters: {id: $.id}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Parameters: {id.$: $.id}, End: true}

== SM309
The Result of a Pass state is a constant; nothing in it is evaluated. Parameters are.
-- bad
StartAt: A
States:
  A: {Type: Pass, Result: {id.$: $.id}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Parameters: {id.$: $.id}, End: true}

== SM310
In a JSONPath state `{% … %}` is plain text.
-- bad
StartAt: A
States:
  A: {Type: Pass, Parameters: {id: "{% $states.input.id %}"}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, QueryLanguage: JSONata, Output: {id: "{% $states.input.id %}"}, End: true}

== SM311
An error and its cause are text. This intrinsic function gives a number, an array, an object or a boolean.
-- bad
StartAt: A
States:
  A: {Type: Fail, CausePath: "States.Array($.a, $.b)"}
-- good
StartAt: A
States:
  A: {Type: Fail, CausePath: "States.Format('{} {}', $.a, $.b)"}

== SM312
Error and Cause are plain text, and so is what StringEquals and its like compare with; ErrorPath, CausePath and
StringEqualsPath are evaluated.
-- bad
StartAt: A
States:
  A: {Type: Fail, Cause: $.reason}
-- good
StartAt: A
States:
  A: {Type: Fail, CausePath: $.reason}

== SM313
In a filter text stands in quotes. Without them it works here, and it is not certain that AWS takes it.
-- bad
StartAt: A
States:
  A: {Type: Pass, InputPath: "$.orders[?(@.state==Open)]", End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, InputPath: "$.orders[?(@.state=='Open')]", End: true}

== SM320
The context object has Execution, State and StateMachine, in a Map also Map, in a task that waits for its token Task.
-- bad
StartAt: A
States:
  A: {Type: Pass, Parameters: {id.$: $$.Execution.ID}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Parameters: {id.$: $$.Execution.Id}, End: true}

== SM321
Map.Item exists in a Map only, Task.Token only in a task whose Resource ends with .waitForTaskToken.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: approve, Parameters: {token.$: $$.Task.Token}, End: true}
-- good
StartAt: A
States:
  A:
    Type: Task
    Resource: approve.waitForTaskToken
    Parameters: {token.$: $$.Task.Token}
    TimeoutSeconds: 3600
    End: true

== SM330
Every way to this state goes through one that replaced the whole input, and none of them puts this member there: the
path finds nothing.
-- bad
StartAt: A
States:
  A: {Type: Pass, Result: {order: 1}, Next: B}
  B: {Type: Pass, InputPath: $.oder, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Result: {order: 1}, Next: B}
  B: {Type: Pass, InputPath: $.order, End: true}
"""
