namespace Spillway.Config;

/// <summary>
/// Notes about what nobody answers for: no mistake, but the question that is asked when a bill doubles.
/// </summary>
internal static class OwnerNotes
{
    /// <summary>One for each model whose served names do not all have an owner.</summary>
    public static IReadOnlyList<ConfigError> Of(List<ModelReader> readers, List<ModelOptions> models) =>
        [.. models.Zip(readers).Select(m => Of(m.Second, m.First)).OfType<ConfigError>()];

    /// <summary>The note about a model; null where everything has an owner.</summary>
    public static ConfigError? Of(ModelReader reader, ModelOptions model) =>
        model.Owner.Length > 0 || (model.Serve.Count > 0 && model.Serve.Values.All(s => s.Owner.Length > 0)) ? null
            : reader.Note("owner", $"Nobody answers for {model.Name}: its costs and its failures are nobody's.",
                "Add owner: <team or address> to the model.yaml.");
}
