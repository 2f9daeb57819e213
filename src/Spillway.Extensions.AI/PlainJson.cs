using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Spillway.Extensions.AI;

/// <summary>How values of an application are written into requests: as its library does, on one line.</summary>
internal static class PlainJson
{
    /// <summary>Nobody changes them any more.</summary>
    public static readonly JsonSerializerOptions Options = Make();

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions(AIJsonUtilities.DefaultOptions) { WriteIndented = false };
        options.MakeReadOnly();
        return options;
    }
}
