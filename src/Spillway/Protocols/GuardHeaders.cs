using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Policies.Rates;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols;

/// <summary>
/// What is left of limits and budgets, in the headers of an answer. RateLimit-Limit, -Remaining and -Reset are those of
/// draft-ietf-httpapi-ratelimit-headers-07 and tell of the tightest limit that counted the request; the reset is in
/// seconds, rounded up. And what a request says of itself: its own limit of cost, how much it matters.
/// </summary>
internal static class GuardHeaders
{
    /// <summary>The most that a request may cost, in units: "0.0025".</summary>
    public const string MaxCostName = "X-Spillway-Max-Cost";

    private const string WarningName = "X-Spillway-Budget-Warning";

    /// <summary>Writes them; nothing where nothing is limited.</summary>
    public static void WriteTo(IHeaderDictionary headers, Work work)
    {
        var ticket = work.Ticket;
        if (ticket.Left.Limit > 0)
        {
            headers["RateLimit-Limit"] = Text(ticket.Left.Limit);
            headers["RateLimit-Remaining"] = Text(ticket.Left.Left);
            if (ticket.Left.Unit is not RateUnit.Concurrency)
                headers["RateLimit-Reset"] = Text((long)Math.Ceiling(ticket.Left.Reset.TotalSeconds));
        }

        if (ticket.Warning > 0)
        {
            headers[WarningName] = string.Create(
                CultureInfo.InvariantCulture, $"{ticket.WarningOf}; used={ticket.Warning:0.000}");
        }
    }

    /// <summary>Reads what the request says of itself; null, or what is wrong with it.</summary>
    public static Fault? Read(IHeaderDictionary headers, InferenceRequest into) =>
        ReadCost(headers, into) ?? ReadCriticality(headers, into);

    private static Fault? ReadCriticality(IHeaderDictionary headers, InferenceRequest into)
    {
        if (!headers.TryGetValue(CriticalityWords.HeaderName, out var given))
            return null;
        if (given.Count == 1 && CriticalityWords.TryParse(given[0], out var criticality))
        {
            into.Criticality = criticality;
            return null;
        }

        return Fault.Invalid(
            $"the header {CriticalityWords.HeaderName} is none of {string.Join(", ", CriticalityWords.All)}");
    }

    private static Fault? ReadCost(IHeaderDictionary headers, InferenceRequest into)
    {
        if (!headers.TryGetValue(MaxCostName, out var given))
            return null;
        if (given.Count == 1 && decimal.TryParse(given[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out var units) && units <= 1_000_000_000)
        {
            into.CostMax = new((long)Math.Floor(units * 1_000_000_000m));
            return null;
        }

        return Fault.Invalid($"the header {MaxCostName} is not an amount from 0 to 1000000000, like 0.0025");
    }

    private static string Text(long number) => number is >= 0 and <= int.MaxValue
        ? SmallNumbers.Text((int)number) : number.ToString(CultureInfo.InvariantCulture);
}
