namespace Spillway.Telemetry;

/// <summary>Takes finished requests to where they are kept: the ledger, the audit log.</summary>
internal interface IRecordSink
{
    /// <summary>
    /// Called at the end of each request, on its thread: copies what it needs into a bounded queue and returns. Never
    /// waits, never throws, allocates nothing; what it cannot take it counts. Thread-safe.
    /// </summary>
    void Offer(in RequestRecord record);
}
