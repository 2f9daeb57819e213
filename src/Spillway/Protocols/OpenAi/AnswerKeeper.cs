using Microsoft.AspNetCore.Http;
using Spillway.Engine.Gateway;

namespace Spillway.Protocols.OpenAi;

/// <summary>Keeps a copy of a whole answer as its caller gets it, for who asks the same under the same key.</summary>
/// <param name="kept">Where it is kept.</param>
/// <param name="entry">Under which key.</param>
internal sealed class AnswerKeeper(IdempotentAnswers kept, IdempotentEntry entry)
{
    private static readonly string[] s_told =
    [
        OpenAiHeaders.ContentName, OpenAiHeaders.StepName, OpenAiHeaders.SimulatedName, RouteHeaders.DegradedName,
    ];

    /// <summary>The answer; null when there was none, or it was too long.</summary>
    public KeptAnswer? Answer { get; private set; }

    /// <summary>The answer goes to its caller now.</summary>
    /// <param name="body">On the wire.</param>
    /// <param name="headers">What tells of it.</param>
    public void Take(ReadOnlyMemory<byte> body, IHeaderDictionary headers)
    {
        if (!kept.Holds(entry, body.Length))
            return;
        Answer = new(body.ToArray(),
            [.. s_told.Where(headers.ContainsKey).Select(name => (name, headers[name].ToString()))]);
    }

    /// <summary>Puts back what told of an answer, before it is given again.</summary>
    public static void Tell(KeptAnswer answer, IHeaderDictionary headers)
    {
        foreach (var (name, value) in answer.Headers)
            headers[name] = value;
    }
}
