namespace Spillway.Client;

/// <summary>
/// Asks models: in this process, or over HTTP; the caller sees no difference but the time. Thread-safe. A refusal is an
/// <see cref="InferenceException"/>, which says what kind and when to try again; a call that its own caller gave up is
/// an <see cref="OperationCanceledException"/>.
/// </summary>
public interface IInferenceClient
{
    /// <summary>Asks and waits for the whole answer.</summary>
    /// <param name="call">What.</param>
    /// <param name="cancellation">
    /// Gives the call up: it leaves its queue, and a run that only it was in is stopped.
    /// </param>
    /// <exception cref="InferenceException">The call was refused or failed.</exception>
    Task<InferenceReply> InferAsync(InferenceCall call, CancellationToken cancellation = default);

    /// <summary>
    /// Asks and gives the answer in parts as they come: one for a model that answers at once, as all do today. Nothing
    /// is sent before the first part is asked for. An answer that breaks off ends in an exception, never in silence.
    /// </summary>
    /// <param name="call">What.</param>
    /// <param name="cancellation">Gives the call up.</param>
    /// <exception cref="InferenceException">The call was refused or failed.</exception>
    IAsyncEnumerable<InferenceReply> StreamAsync(InferenceCall call, CancellationToken cancellation = default);
}

/// <summary>Shorter calls.</summary>
public static class InferenceClientExtensions
{
    /// <summary>Asks a model for all of its outputs, with the model's own deadline and priority.</summary>
    /// <param name="client">Where.</param>
    /// <param name="model">The served name.</param>
    /// <param name="inputs">Every input of the model.</param>
    /// <param name="cancellation">Gives the call up.</param>
    public static Task<InferenceReply> InferAsync(
        this IInferenceClient client, string model, IReadOnlyList<InferenceInput> inputs,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.InferAsync(new InferenceCall { Model = model, Inputs = inputs }, cancellation);
    }
}
