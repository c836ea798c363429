"""Pages of SM001 to SM108, and of what is asked of who runs a definition; see `pages` for the form."""

PAGES = r"""
== SM001
A definition is read as UTF-8, the one encoding that JSON and AWS allow. Save the file as UTF-8.

== SM002
There is nothing in the file but blanks and comments.
-- bad
# only a comment
-- good
StartAt: A
States:
  A: {Type: Succeed}

== SM003
The text begins as JSON and goes wrong at this character: a comma too many or too few, a quote that is not closed, a
word that JSON does not know, a comment.
-- bad
{"StartAt": "A", "States": {"A": {"Type": "Succeed"},}}
-- good
{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}

== SM004
The text is not YAML. Most often the indentation is off, or a text that begins with `{`, `%` or `*`, or that holds
`: `, needs quotes.
-- bad
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: {% 1 %}, End: true}
-- good
QueryLanguage: JSONata
StartAt: A
States:
  A: {Type: Pass, Output: "{% 1 %}", End: true}

== SM005
A definition is one object with StartAt and States; this file holds a list, a text or a number.
-- bad
[{"StartAt": "A"}]
-- good
{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}

== SM006
A key stands twice in one object. Most readers of JSON keep the last and say nothing, so a state could get lost.
-- bad
StartAt: A
States:
  A: {Type: Succeed}
  A: {Type: Fail}
-- good
StartAt: A
States:
  A: {Type: Succeed}

== SM007
A number is too large or too exact to be kept as it is written, or it is NaN or Infinity, which JSON does not have.
-- bad
{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1e999, "End": true}}}
-- good
{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1e99, "End": true}}}

== SM008
Larger files are not read: nobody writes such a definition by hand, and AWS takes at most 1 MB.

== SM009
Arrays and objects are nested more than 200 levels deep; AWS calls it TOO_DEEPLY_NESTED.

== SM010
An anchor (`&name`) or alias (`*name`) would have to be copied to be JSON, and AWS takes JSON only. Write it out.
-- bad
StartAt: A
States:
  A: &end {Type: Succeed}
-- good
StartAt: A
States:
  A: {Type: Succeed}

== SM011
The merge key `<<` is a part of older YAML and not of the States Language. Write the fields out.
-- bad
StartAt: A
States:
  A: {<<: {Type: Succeed}}
-- good
StartAt: A
States:
  A: {Type: Succeed}

== SM012
A tag such as `!Ref` or `!Sub` is another tool's. Use a substitution `${Name}` in its place.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: !Ref Function, End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: "${Function}", End: true}

== SM013
One file holds one definition; what follows a line `---` would be lost.
-- bad
StartAt: A
States:
  A: {Type: Succeed}
---
StartAt: B
-- good
StartAt: A
States:
  A: {Type: Succeed}

== SM014
A text holds half of a surrogate pair, which is no character and cannot be written as UTF-8.
-- bad
{"StartAt": "A", "Comment": "\ud83d", "States": {"A": {"Type": "Succeed"}}}
-- good
{"StartAt": "A", "Comment": "\ud83d\ude00", "States": {"A": {"Type": "Succeed"}}}

== SM015
AWS takes definitions of at most 1 MB (1,048,576 bytes). Here a larger one runs, but it cannot be deployed.

== SM016
A value that a program gives must be made of what JSON has: dict with text keys, list, str, int, float, bool, None.

== SM101
A field that the language does not know at this place. AWS refuses it; elsewhere it would be silently ignored.
-- bad
StartAt: A
States:
  A: {Type: Pass, End: true, Timeout: 5}
-- good
StartAt: A
States:
  A: {Type: Pass, End: true}

== SM102
A field is missing without which the object means nothing.
-- bad
StartAt: A
States:
  A: {Type: Task, End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: "process:order", End: true}

== SM103
A value has another type than its field: a number in quotes, text where a list belongs.
-- bad
StartAt: A
States:
  A: {Type: Wait, Seconds: "5", End: true}
-- good
StartAt: A
States:
  A: {Type: Wait, Seconds: 5, End: true}

== SM104
A value of the right type that is too small, too large, empty, or none of the words that the field knows.
-- bad
StartAt: A
States:
  A: {Type: Wait, Seconds: -5, End: true}
-- good
StartAt: A
States:
  A: {Type: Wait, Seconds: 5, End: true}

== SM105
Two fields that say the same thing in two ways; only one of them can count.
-- bad
StartAt: A
States:
  A: {Type: Wait, Seconds: 5, SecondsPath: $.seconds, End: true}
-- good
StartAt: A
States:
  A: {Type: Wait, SecondsPath: $.seconds, End: true}

== SM106
The state needs one of several fields and has none of them.
-- bad
StartAt: A
States:
  A: {Type: Wait, End: true}
-- good
StartAt: A
States:
  A: {Type: Wait, Seconds: 5, End: true}

== SM107
A field of the other query language. JSONPath has InputPath, Parameters, ResultSelector, ResultPath, OutputPath;
JSONata has Arguments and Output in their place.
-- bad
StartAt: A
States:
  A: {Type: Pass, Output: {a: 1}, End: true}
-- good
StartAt: A
States:
  A: {Type: Pass, Parameters: {a: 1}, End: true}

== SM108
Under States each name stands for an object with a Type.
-- bad
StartAt: A
States:
  A: Succeed
-- good
StartAt: A
States:
  A: {Type: Succeed}

== SM606
No function in the handlers directory is registered under the name that the Resource leads to, and none under a name
that ends in * and takes the rest. The workflow can be deployed, but here the Task could not run.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: "process:oder", End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: "process:order", End: true}

== SM607
An express workflow cannot wait for a job (.sync), for a task token, for an activity or for a message, and has no
distributed Map. This is asked with --type EXPRESS, and by sm run --express.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: "arn:aws:states:::states:startExecution.sync", End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: "arn:aws:states:::states:startExecution", End: true}

== SM901
A `${Name}` that another tool was to replace stands where its value is needed to run the workflow.
-- bad
StartAt: A
States:
  A: {Type: Task, Resource: "${Function}", End: true}
-- good
StartAt: A
States:
  A: {Type: Task, Resource: "process:order", End: true}
"""
