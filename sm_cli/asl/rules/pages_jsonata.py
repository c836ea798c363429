"""Pages of SM801 to SM820; see `pages` for the form."""

PAGES = r"""
== SM801
A JSONPath workflow may have JSONata states, one by one; a JSONata workflow cannot go back.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, QueryLanguage: JSONPath, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, QueryLanguage: JSONPath, End: true}

== SM802
The name of a variable has letters, digits and _, at most 80, and begins with no digit; `states` is taken.
-- bad
StartAt: A
States:
  A: {Type: Pass, Assign: {order-id: 1}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Assign: {orderId: 1}, End: true}

== SM803
A branch or a processor reads the variables of the machine around it and cannot assign them: several of them would
write at once.
-- bad
StartAt: A
States:
  A: {Type: Pass, Assign: {n: 1}, Next: B}
  B:
    Type: Parallel
    Branches:
      - {StartAt: C, States: {C: {Type: Pass, Assign: {n: 2}, End: true}}}
    End: true
-- good
StartAt: A
States:
  A: {Type: Pass, Assign: {n: 1}, Next: B}
  B:
    Type: Parallel
    Branches:
      - {StartAt: C, States: {C: {Type: Pass, Assign: {m: 2}, End: true}}}
    End: true

== SM804
An expression begins with {% and ends with %}, with no blank before or after. With one of them alone it was meant as an
expression, and AWS refuses it.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $states.input.id }", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $states.input.id %}", End: true}

== SM805
In JSONata keys have no .$: the value itself says, by {% and %}, that it is an expression.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: {n.$: 1}, End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: {n: 1}, End: true}

== SM806
An expression is the whole text. With a blank on either side it is plain text and is handed on as it stands.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: " {% $states.input.id %} ", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $states.input.id %}", End: true}

== SM807
The language has {%1%}, and it runs. Other tools that work with definitions want a blank on either side of the
expression.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{%10%}", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% 10 %}", End: true}

== SM808
Keys, names of errors and the like are constants; an expression there stays the text that it is.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: {"{% $states.input.key %}": 1}, End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% {$states.input.key: 1} %}", End: true}

== SM809
A JSONata state evaluates no paths and no intrinsic functions: this is plain text.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: {id: $.id}, End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: {id: "{% $states.input.id %}"}, End: true}

== SM810
The expression goes wrong at this character. AWS refuses it with INVALID_JSONATA_EXPRESSION and the same words.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $sum($states.input.prices %}", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $sum($states.input.prices) %}", End: true}

== SM811
`??` and `?:` came with JSONata 2.1; Step Functions has 2.0.6.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $states.input.n ?? 1 %}", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $exists($states.input.n) ? $states.input.n : 1 %}", End: true}

== SM812
Neither JSONata 2.0.6 nor Step Functions has this function, and the expression does not define it. AWS takes the
definition, and the state fails when it runs.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $uper($states.input.name) %}", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $uppercase($states.input.name) %}", End: true}

== SM813
An expression cannot be computed: Step Functions leaves $eval out. $parse reads JSON text.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $eval($states.input.text) %}", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $parse($states.input.text) %}", End: true}

== SM814
$states.result exists in the Output and Assign of a state that does something, $states.errorOutput in those of a
catcher.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $states.result %}", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Task, Resource: r, Output: "{% $states.result %}", End: true}

== SM815
$states has input and context everywhere, result and errorOutput where there is one.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $states.inputs.id %}", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $states.input.id %}", End: true}

== SM816
An expression has no input of its own: `$`, `$$` and a bare name mean something only in a predicate or after a dot. AWS
refuses it with UNSUPPORTED_JSONATA_EXPRESSION.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $.id %}", End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% $states.input.id %}", End: true}

== SM817
No way to this state assigns the variable, so reading it fails.
-- bad
StartAt: A
States:
  A: {Type: Pass, Assign: {orderId: 1}, Next: B}
  B: {Type: Pass, InputPath: $orderID, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Assign: {orderId: 1}, Next: B}
  B: {Type: Pass, InputPath: $orderId, End: true}

== SM818
One way to this state assigns the variable and another does not. Assign it on every way, or ask $exists first.
-- bad
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {Variable: $.n, IsPresent: true, Next: B, Assign: {n: 1}}
    Default: B
  B: {Type: Pass, InputPath: $n, End: true}
-- good
StartAt: A
States:
  A:
    Type: Choice
    Choices:
      - {Variable: $.n, IsPresent: true, Next: B, Assign: {n: 1}}
    Default: B
    Assign: {n: 0}
  B: {Type: Pass, InputPath: $n, End: true}

== SM819
The variables of a branch or a processor are gone when it ends. What is needed later is its output.
-- bad
StartAt: A
States:
  A:
    Type: Parallel
    Branches:
      - {StartAt: B, States: {B: {Type: Pass, Assign: {n: 1}, End: true}}}
    Next: C
  C: {Type: Pass, InputPath: $n, End: true}
-- good
StartAt: A
States:
  A:
    Type: Parallel
    Branches:
      - {StartAt: B, States: {B: {Type: Pass, Result: 1, End: true}}}
    Assign: {n.$: "$[0]"}
    Next: C
  C: {Type: Pass, InputPath: $n, End: true}

== SM820
The items of a distributed Map run as executions of their own and see no variables from outside.
-- bad
StartAt: A
States:
  A: {Type: Pass, Assign: {n: 1}, Next: B}
  B:
    Type: Map
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: C
      States: {C: {Type: Pass, InputPath: $n, End: true}}
    End: true
-- good
StartAt: A
States:
  A: {Type: Pass, Assign: {n: 1}, Next: B}
  B:
    Type: Map
    ItemSelector: {n.$: $n}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: C
      States: {C: {Type: Pass, InputPath: $.n, End: true}}
    End: true
"""
