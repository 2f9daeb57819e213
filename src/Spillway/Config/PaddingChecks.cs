using System.Globalization;
using Spillway.Policies.Batching;

namespace Spillway.Config;

/// <summary>
/// Rules of a model's padding that need no model: the ladder of lengths keeps the promised bound, and no input has two
/// tasks. What the model's own inputs and outputs decide is checked when it is loaded.
/// </summary>
/// <param name="bound">Knows where each key stands.</param>
/// <param name="path">Key path of the section: "models[0].padding".</param>
internal sealed class PaddingChecks(OptionBinder bound, string path)
{
    /// <summary>Reports everything that the section breaks.</summary>
    public void All(PaddingOptions padding)
    {
        if (padding.Mask is { Input.Length: > 0 } mask && padding.Inputs.ContainsKey(mask.Input))
        {
            Report("mask.input", mask.Input, "The input is padded already, in inputs.",
                "Name it once: in inputs when clients send it, as the mask when the server shall make it.");
        }

        if (Failed("buckets") || Failed("min") || Failed("max") || Failed("step") || Failed("wasteMax"))
            return;
        if (padding.IsDeclared)
            Declared(padding);
        else
            Derived(padding);
    }

    private void Declared(PaddingOptions padding)
    {
        if (padding.Max is { } max)
        {
            Report("max", Number(max), "The buckets are declared, so none are derived.",
                "Remove buckets, or remove min, max and step.");
        }

        if (padding.Buckets.Count > PaddingOptions.BucketsMax)
        {
            Report("buckets", Number(padding.Buckets.Count),
                $"There are {padding.Buckets.Count} buckets; at most {PaddingOptions.BucketsMax} are kept.",
                "Remove some.");
        }

        for (var i = 1; i < padding.Buckets.Count; i++)
        {
            var (before, bucket) = (padding.Buckets[i - 1], padding.Buckets[i]);
            var key = $"buckets[{Number(i)}]";
            if (bucket <= before)
            {
                Report(key, Number(bucket), $"The buckets must ascend; {before} stands before it.",
                    "Order the buckets.");
                return;
            }

            var waste = ShapeBuckets.Waste(before + 1, bucket);
            if (waste <= padding.WasteMax)
                continue;
            var least = Math.Ceiling(waste * 100) / 100;
            Report(key, Number(bucket),
                $"A length of {before + 1} would be padded by {Percent(waste)}, more than wasteMax, "
                + $"{Percent(padding.WasteMax)}.",
                $"Put a bucket between {before} and {bucket}, or set wasteMax: {OptionText.Number(least)}.");
            return;
        }
    }

    private void Derived(PaddingOptions padding)
    {
        if (padding.Max is not { } max)
        {
            Report("", "", "The section says no lengths.",
                "Give buckets, or max (and min) so that they can be derived.");
            return;
        }

        if (padding.Min > max)
        {
            Report("min", Number(padding.Min), $"It is larger than max ({max}).", "Lower min, or raise max.");
            return;
        }

        if (max > padding.Min && !ShapeBuckets.StepFits(padding.Min, padding.Step, padding.WasteMax))
        {
            var least = (int)Math.Ceiling(((padding.Step - 1) / padding.WasteMax) - padding.Step);
            Report("step", Number(padding.Step),
                $"Near length {padding.Min} one step is more padding than wasteMax, {Percent(padding.WasteMax)}.",
                $"Lower step, raise wasteMax, or raise min to {Number(least)} or more.");
            return;
        }

        var count = ShapeBuckets.Derive(padding.Min, max, padding.Step, padding.WasteMax).Count;
        if (count > PaddingOptions.BucketsMax)
        {
            Report("wasteMax", OptionText.Number(padding.WasteMax),
                $"Lengths from {padding.Min} to {max} need more than {PaddingOptions.BucketsMax} buckets.",
                "Raise wasteMax, raise min, or lower max.");
        }
    }

    private static string Percent(double share) => (100 * share).ToString("0.#", CultureInfo.InvariantCulture) + " %";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private bool Failed(string key) => bound.Failed($"{path}.{key}");

    private void Report(string key, string value, string problem, string remedy) =>
        bound.Report(key.Length == 0 ? path : $"{path}.{key}", value, problem, remedy);
}
