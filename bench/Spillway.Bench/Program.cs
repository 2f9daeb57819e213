using Spillway.Bench;

const string Usage = """
    The parts of the benchmarks that need .NET. `bench/run` calls them; each prints one JSON object.

      models <folder>                    write mlp.onnx, tiny.onnx, recurrent.onnx and row.json
      null --port P [--bytes N]          a bare Kestrel delegate: reads the body, answers N prebuilt bytes (any path)
      raw mlp|tiny|line-ocr              ONNX Runtime in process: items a second, CPU per item
          [--models FOLDER] [--batch N|best] [--seconds S] [--callers C] [--ctc]
      session mlp|line-ocr               one load in this process: time and anonymous memory
          [--models FOLDER] [--cache off|FOLDER]
      json [--rounds N]                  the JSON tensor reader against a loop of Utf8JsonReader
      keys [--rounds N]                  who calls: a known key, wrong ones, and one HMAC
      plan [--rounds N]                  simulated requests a second: one queue, and a whole candidate
      start --app DLL --picture FILE     process start to the first answer of the demo
          [--config FOLDER] [--model NAME] [--runs N] [--port P]
      ledger [--rate N] [--seconds S]    entries at a constant rate through the ledger's queue and writer
      audit [--rate N] [--seconds S]     the audit log at a fixed rate: what is lost, what waits, CPU per record
          [--folder FOLDER]
      probe --port P [--path /v2/health/live] [--rate R] [--seconds S]
                                         latency of a null request at a low constant rate
    """;

var arguments = new Arguments(args);
try
{
    switch (arguments.Command)
    {
        case "models":
            ModelFiles.Write(arguments.Operand("models <folder>"));
            return 0;
        case "null":
            await NullHandler.RunAsync(arguments);
            return 0;
        case "raw":
            RawCommand.Run(arguments);
            return 0;
        case "session":
            SessionCommand.Run(arguments);
            return 0;
        case "json":
            await JsonRace.RunAsync(arguments.Number("--rounds", 7));
            return 0;
        case "keys":
            await KeysRace.RunAsync(arguments.Number("--rounds", 7));
            return 0;
        case "plan":
            PlanRace.Run(arguments.Number("--rounds", 7));
            return 0;
        case "start":
            await StartCommand.RunAsync(arguments);
            return 0;
        case "ledger":
            await LedgerCommand.RunAsync(arguments);
            return 0;
        case "audit":
            await AuditRace.RunAsync(arguments);
            return 0;
        case "probe":
            await ProbeCommand.RunAsync(arguments);
            return 0;
        default:
            Console.Error.WriteLine(Usage);
            return 2;
    }
}
catch (BenchException wrong)
{
    Console.Error.WriteLine($"bench: {wrong.Message}");
    return 1;
}
