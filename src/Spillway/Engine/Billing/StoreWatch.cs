using Spillway.Store.Ledger;

namespace Spillway.Engine.Billing;

/// <summary>
/// Whether what must leave a trace may begin: asks the stores that refuse when they cannot be written. One volatile
/// read a request; nothing where there is no store.
/// </summary>
internal sealed class StoreWatch
{
    /// <summary>The ledger; null for none. Set before serving.</summary>
    public ILedger? Ledger { get; set; }

    /// <summary>Why new requests are refused; null when they are not.</summary>
    public Fault? Refusal => Ledger?.Refusal;
}
