namespace Spillway.Store.Audit;

/// <summary>
/// The fields of a record. The numbers are part of the format: they may be added to, and never change. A record has
/// them in rising order, each at most once, so that there is one way to write it.
/// </summary>
internal enum AuditTag : byte
{
    RequestId = 1,
    Tenant = 2,
    Caller = 3,
    Model = 4,
    Version = 5,
    Deployment = 6,
    ModelDigest = 7,
    ConfigDigest = 8,
    PriceDigest = 9,
    Outcome = 10,
    Decision = 11,
    Reason = 12,
    Action = 13,
    Subject = 14,
    Status = 15,
    Rows = 16,
    BytesIn = 17,
    BytesOut = 18,
    CostNano = 19,
    DurationMicros = 20,
    PayloadHash = 21,
    PayloadFile = 22,
    PayloadPlace = 23,
    PayloadBytes = 24,
    Count = 25,
}
