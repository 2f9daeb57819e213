namespace Spillway.Hosting;

/// <summary>
/// A server with a right configuration cannot start: what must survive a restart cannot be opened. The message says why
/// and what to do.
/// </summary>
/// <param name="message">For a person.</param>
public sealed class SpillwayStartException(string message) : Exception(message);
