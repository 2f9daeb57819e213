using System.Text;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>The request parameters sequence_id, sequence_start and sequence_end, in any order, as in REST.</summary>
internal static class SequenceParameter
{
    /// <summary>
    /// Takes one of them into the request; another name is passed over. After the last
    /// <see cref="SequenceParameters.Complete"/> is due.
    /// </summary>
    public static Fault? Read(in InferParameter parameter, InferenceRequest into)
    {
        var mark = into.Sequence ?? default;
        Fault? fault;
        if (parameter.Name.SequenceEqual("sequence_id"u8))
        {
            fault = ReadId(parameter, out var id);
            mark = mark with { Key = id };
        }
        else if (parameter.Name.SequenceEqual("sequence_start"u8))
        {
            fault = parameter.Bool(out var start);
            mark = mark with { Start = start };
        }
        else if (parameter.Name.SequenceEqual("sequence_end"u8))
        {
            fault = parameter.Bool(out var end);
            mark = mark with { End = end };
        }
        else
        {
            return null;
        }

        into.Sequence = mark;
        return fault;
    }

    private static Fault? ReadId(in InferParameter parameter, out SequenceKey id)
    {
        id = default;
        if (!parameter.IsText(out var text))
        {
            if (parameter.Whole(out var number) is not null)
            {
                return RequestFaults.Parameter("sequence_id",
                    $"must be a whole number from 0 to {ulong.MaxValue} (int64_param or uint64_param), or a string");
            }

            id = new(number);
            return null;
        }

        if (text.Length > SequenceKey.TextBytesMax)
        {
            return RequestFaults.Parameter(
                "sequence_id", $"has {text.Length} bytes; at most {SequenceKey.TextBytesMax} are allowed");
        }

        id = new(Encoding.UTF8.GetString(text));
        return null;
    }
}
