namespace Spillway.Hosting;

/// <summary>A server cannot start for what it found on this machine; the message says what to do.</summary>
/// <param name="message">What happened and what to do.</param>
public sealed class SpillwayStartException(string message) : Exception(message);
