using Spillway.Store.Audit;
using Spillway.Store.Provenance;
using Spillway.Store.Sealing;

namespace Spillway.Config;

/// <summary>Rules of the sections audit and signing of spillway.yaml; their paths become absolute here.</summary>
internal static class ProofChecks
{
    /// <summary>Completes both sections and reports what they break.</summary>
    /// <param name="options">As bound.</param>
    /// <param name="bound">Knows where each key stands.</param>
    /// <param name="folder">Absolute; relative paths start from it.</param>
    public static SpillwayOptions Complete(SpillwayOptions options, OptionBinder bound, string folder) => options with
    {
        Audit = options.Audit is { } audit ? Audit(audit, bound, folder) : null,
        Signing = options.Signing is { } signing ? Signing(signing, bound, folder) : null,
    };

    /// <summary>What a model asks of sections that are not there.</summary>
    public static void Models(
        IReadOnlyList<ModelReader> readers, IReadOnlyList<ModelOptions> models, SpillwayOptions root,
            OptionBinder bound)
    {
        for (var i = 0; i < models.Count; i++)
        {
            if (models[i].Audit.Payloads && root.Audit is null)
            {
                readers[i].Report("audit.payloads", "true", "There is no audit log to keep its inputs in.",
                    $"Add the section audit: to {ConfigLoader.FileName}, or remove the key.");
            }

            if (models[i].Signing.Required && root.Signing is not { Trusted.Count: > 0 })
            {
                readers[i].Report("signing.required", "true", "No key is trusted, so that no signature could count.",
                    $"Name public keys in {ConfigLoader.FileName}: signing: {{ trusted: [key.pub.pem] }}.");
            }
        }

        Exempt(models, root, bound);
    }

    private static void Exempt(IReadOnlyList<ModelOptions> models, SpillwayOptions root, OptionBinder bound)
    {
        // With a repository, a name may belong to a model that is only there later.
        if (root.Signing is not { Exempt.Count: > 0 } signing || root.Repository is not null || models.Count == 0)
            return;
        foreach (var name in signing.Exempt.Where(n => models.All(m => m.Name != n)))
        {
            bound.Report("signing.exempt", name, "There is no model of that name.",
                "Name a deployment, or remove it.", Suggestion.Nearest(name, models.Select(m => m.Name)));
        }
    }

    private static AuditOptions Audit(AuditOptions audit, OptionBinder bound, string folder)
    {
        var publish = Full(audit.Publish, folder);
        if (publish.Length > 0 && !Directory.Exists(Path.GetDirectoryName(publish)))
        {
            bound.Report("audit.publish", audit.Publish, $"There is no folder {Path.GetDirectoryName(publish)}.",
                "Create it, or change the path; it is relative to this file.");
        }

        return audit with
        {
            Publish = publish,
            SigningKey = Key("audit.signingKey", audit.SigningKey, bound, folder),
            CallerKey = Key("audit.callerKey", audit.CallerKey, bound, folder),
        };
    }

    private static SigningOptions Signing(SigningOptions signing, OptionBinder bound, string folder)
    {
        List<string> trusted = [];
        for (var i = 0; i < signing.Trusted.Count; i++)
        {
            var file = Full(signing.Trusted[i], folder);
            trusted.Add(file);
            if (ModelTrust.ReadKey(file).TryGet(out var key, out var fault))
                key.Dispose();
            else
                bound.Report($"signing.trusted[{i}]", signing.Trusted[i], fault.Message,
                    "Give the path of a public key in PEM; it is relative to this file.");
        }

        if (signing.Required && trusted.Count == 0 && !bound.Failed("signing"))
        {
            bound.Report("signing.required", "true", "No key is trusted, so that no model could be loaded.",
                "Name public keys: trusted: [key.pub.pem].");
        }

        return signing with { Trusted = trusted };
    }

    private static string Key(string key, string reference, OptionBinder bound, string folder)
    {
        if (reference.Length == 0 || KeyReference.IsVariable(reference))
            return reference;
        var file = Full(reference, folder);
        if (!File.Exists(file))
        {
            bound.Report(key, reference, $"There is no file {file}.",
                "Create it, remove the key (one is made in the state folder then), or write env:NAME.");
        }

        return file;
    }

    private static string Full(string path, string folder) =>
        path.Length == 0 || path.Contains('\0', StringComparison.Ordinal) ? "" : Path.GetFullPath(path, folder);
}
