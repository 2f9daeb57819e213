using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Flow;

namespace Spillway.Protocols;

/// <summary>Tells a caller what its answer costs. Only where prices are configured.</summary>
internal static class CostHeader
{
    /// <summary>In units of prices.currency, with nine decimals; the sum of the lines that explain shows.</summary>
    public const string Name = "X-Spillway-Cost";

    /// <summary>Before the answer's first byte.</summary>
    public static void Write(IHeaderDictionary headers, Work work)
    {
        if (work.Door.Route.Tariff is { IsConfigured: true } && work.Share.Price is not null)
            headers[Name] = RequestFlow.Price(work.Used, work.Share).Total.ToString();
    }
}
