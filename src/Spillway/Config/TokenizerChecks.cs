using Spillway.Transforms.Tokens;

namespace Spillway.Config;

/// <summary>Reads the vocabularies that chat routes name: a file that cannot be used is an error of the
/// configuration.</summary>
internal static class TokenizerChecks
{
    /// <summary>The path, absolute; what cannot be one stays as it is.</summary>
    public static string Full(string path, string folder) =>
        path.Length == 0 || path.Contains('\0', StringComparison.Ordinal) ? path : Path.GetFullPath(path, folder);

    /// <summary>Those of all routes, by route; a file that several name is read once.</summary>
    /// <param name="options">Its paths absolute.</param>
    /// <param name="bound">Where errors go.</param>
    public static IReadOnlyDictionary<string, Tokenizer> Read(SpillwayOptions options, OptionBinder bound)
    {
        var byRoute = new Dictionary<string, Tokenizer>(StringComparer.Ordinal);
        var known = new Dictionary<(string, TokenPattern), (Tokenizer? Tokenizer, string Problem)>();
        foreach (var (name, route) in options.Routes)
        {
            var (path, key) = ($"routes.{name}.chat", $"routes.{name}.chat.tokenizer");
            if (route.Chat.Tokenizer.Length == 0)
            {
                Unused(path, route.Chat, bound);
                continue;
            }

            if (bound.Failed(key))
                continue;
            if (!ChatChecks.IsChat(route, options.Upstreams))
            {
                bound.Report(key, bound.Written(key), "The route takes tensors, which have no tokens.",
                    "Leave it out of routes that are no chats.");
                continue;
            }

            var file = (route.Chat.Tokenizer, route.Chat.TokenizerPattern);
            if (!known.TryGetValue(file, out var read))
                known[file] = read = TokenizerFile.Load(file.Tokenizer, file.TokenizerPattern);
            if (read.Tokenizer is { } tokenizer)
                byRoute.Add(name, tokenizer);
            else
                bound.Report(key, bound.Written(key), read.Problem, TokenizerFile.Remedy);
        }

        return byRoute;
    }

    private static void Unused(string path, ChatOptions chat, OptionBinder bound)
    {
        if (chat.TokenizerPattern is not TokenPattern.Auto)
        {
            bound.Report($"{path}.tokenizerPattern", bound.Written($"{path}.tokenizerPattern"),
                "It says how a vocabulary cuts words, and no vocabulary is named.",
                "Name its file in tokenizer, or leave this out.");
        }
    }
}
