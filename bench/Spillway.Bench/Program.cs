using Spillway.Bench;

const string Usage = """
    The parts of the benchmarks that need .NET. `bench/run` calls them; each prints one JSON object.

      models <folder>                    write mlp.onnx, tiny.onnx, recurrent.onnx and row.json
      null --port P [--bytes N]          a bare Kestrel delegate: reads the body, answers N prebuilt bytes (any path)
          [--batch N --busy-us M]        holds requests up in batches, busy so long for each
      raw mlp|tiny|line-ocr              ONNX Runtime in process: items a second, CPU per item
          [--models FOLDER] [--batch N|best] [--seconds S] [--callers C] [--ctc]
      session mlp|line-ocr               one load in this process: time and anonymous memory
          [--models FOLDER] [--cache off|FOLDER]
      json [--rounds N]                  the JSON tensor reader against a loop of Utf8JsonReader
      keys [--rounds N]                  who calls: a known key, wrong ones, and one HMAC
      plan [--rounds N] [--trace csv --hardware yaml]
                                         simulated requests a second: one queue, and a whole candidate; with a recorded
                                         hour, how long a search of a hundred candidates over it takes on two threads
      start --app DLL --picture FILE     process start to the first answer of the demo
          [--config FOLDER] [--model NAME] [--runs N] [--port P]
      ledger [--rate N] [--seconds S]    entries at a constant rate through the ledger's queue and writer
      audit [--rate N] [--seconds S]     the audit log at a fixed rate: what is lost, what waits, CPU per record
          [--folder FOLDER]
      probe --port P [--path /v2/health/live] [--rate R] [--seconds S]
                                         latency of a null request at a low constant rate
    """;

var commands = new Dictionary<string, Func<Arguments, Task>>(StringComparer.Ordinal)
{
    ["models"] = a => Now(() => ModelFiles.Write(a.Operand("models <folder>"))),
    ["null"] = NullHandler.RunAsync,
    ["raw"] = a => Now(() => RawCommand.Run(a)),
    ["session"] = a => Now(() => SessionCommand.Run(a)),
    ["json"] = a => JsonRace.RunAsync(a.Number("--rounds", 7)),
    ["keys"] = a => KeysRace.RunAsync(a.Number("--rounds", 7)),
    ["plan"] = a => Now(() => PlanRace.Run(
        a.Number("--rounds", 7), a.Text("--trace", ""), a.Text("--hardware", "samples/plans/hardware.yaml"))),
    ["start"] = StartCommand.RunAsync,
    ["ledger"] = LedgerCommand.RunAsync,
    ["audit"] = AuditRace.RunAsync,
    ["probe"] = ProbeCommand.RunAsync,
};
var arguments = new Arguments(args);
try
{
    if (!commands.TryGetValue(arguments.Command, out var command))
    {
        Console.Error.WriteLine(Usage);
        return 2;
    }

    await command(arguments);
    return 0;
}
catch (BenchException wrong)
{
    Console.Error.WriteLine($"bench: {wrong.Message}");
    return 1;
}

static Task Now(Action run)
{
    run();
    return Task.CompletedTask;
}
