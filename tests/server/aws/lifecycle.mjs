// One life of everything, by the SDK for JavaScript: where it goes, its variables say.
import * as sfn from "@aws-sdk/client-sfn";

const client = new sfn.SFNClient({ disableHostPrefix: true });
const ask = (name, input = {}) => client.send(new sfn[`${name}Command`](input));
const roleArn = "arn:aws:iam::000000000000:role/r";
const pass = JSON.stringify({ StartAt: "P", States: { P: { Type: "Pass", End: true } } });

async function ended(executionArn) {
  for (;;) {
    const answer = await ask("DescribeExecution", { executionArn });
    if (answer.status !== "RUNNING") return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const { stateMachineArn } = await ask("CreateStateMachine", { name: "order", definition: pass, roleArn });
const started = await ask("StartExecution", { stateMachineArn, name: "n", input: '{"a":1}' });
const end = await ended(started.executionArn);
const history = await ask("GetExecutionHistory", { executionArn: started.executionArn });
const list = await ask("ListExecutions", { stateMachineArn });

const quick = await ask("CreateStateMachine", { name: "quick", type: "EXPRESS", definition: pass, roleArn });
const sync = await ask("StartSyncExecution", { stateMachineArn: quick.stateMachineArn, input: '{"b":2}' });
const tested = await ask("TestState", { definition: '{"Type":"Pass","End":true}', roleArn, input: '{"c":3}' });

const { activityArn } = await ask("CreateActivity", { name: "pack" });
const packing = JSON.stringify({ StartAt: "A", States: { A: { Type: "Task", Resource: activityArn, End: true } } });
const machine = await ask("CreateStateMachine", { name: "packing", definition: packing, roleArn });
const waiting = ask("GetActivityTask", { activityArn });
const pack = await ask("StartExecution", { stateMachineArn: machine.stateMachineArn, input: '{"n":1}' });
const task = await waiting;
await ask("SendTaskSuccess", { taskToken: task.taskToken, output: "{}" });
const packed = await ended(pack.executionArn);

await ask("DeleteStateMachine", { stateMachineArn });
let refused = null;
try {
  await ask("DescribeStateMachine", { stateMachineArn });
} catch (error) {
  refused = [error.name, error.$metadata.httpStatusCode];
}
const left = await ask("ListStateMachines");

console.log(JSON.stringify({
  machine: stateMachineArn,
  status: end.status,
  output: JSON.parse(end.output),
  isDate: end.startDate instanceof Date && end.stopDate >= end.startDate,
  events: history.events.map((event) => event.type),
  listed: list.executions.map((execution) => execution.name),
  sync: JSON.parse(sync.output),
  tested: tested.output,
  task: JSON.parse(task.input),
  done: packed.status,
  refused,
  left: left.stateMachines.map((each) => each.name),
}));
