namespace Spillway.Protocols.Grpc;

/// <summary>One entry of a map of parameters: a name, and a bool, a number or a string. Lies in the message.</summary>
internal ref struct InferParameter
{
    private enum Choice : byte
    {
        None,
        Bool,
        Whole,
        Text,
        Real,
        Negative,
    }

    private Choice _choice;
    private ulong _number;
    private ReadOnlySpan<byte> _text;

    /// <summary>The name, in UTF-8.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Reads one entry of the map.</summary>
    public static Fault? Read(ReadOnlySpan<byte> entry, out InferParameter parameter)
    {
        parameter = default;
        var wire = new WireReader(entry);
        while (wire.Next(out var field))
        {
            if (field == 1)
                parameter.Name = wire.Bytes();
            else if (field == 2)
                parameter.ReadValue(wire.Bytes());
            else
                wire.Skip();
        }

        return wire.Failed ? GrpcFaults.Broken("a parameter", wire) : null;
    }

    /// <summary>A whole number that is not negative.</summary>
    public readonly Fault? Whole(out ulong value)
    {
        value = _number;
        return _choice is Choice.Whole ? null : OpenInference.RequestFaults.Parameter(
            GrpcFaults.Shown(Name), $"must be a whole number from 0 to {ulong.MaxValue}: int64_param or uint64_param");
    }

    /// <summary>True or false.</summary>
    public readonly Fault? Bool(out bool value)
    {
        value = _number != 0;
        return _choice is Choice.Bool ? null : OpenInference.RequestFaults.Parameter(
            GrpcFaults.Shown(Name), "must be true or false: bool_param");
    }

    /// <summary>Whether it is a text, and which.</summary>
    public readonly bool IsText(out ReadOnlySpan<byte> text)
    {
        text = _text;
        return _choice is Choice.Text;
    }

    /// <summary>A value that is broken counts as none; whoever needs it then refuses it.</summary>
    private void ReadValue(ReadOnlySpan<byte> value)
    {
        var wire = new WireReader(value);
        while (wire.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    (_choice, _number) = (Choice.Bool, wire.Whole());
                    break;
                case 2:
                    _number = wire.Whole();
                    _choice = (long)_number < 0 ? Choice.Negative : Choice.Whole;
                    break;
                case 5:
                    (_choice, _number) = (Choice.Whole, wire.Whole());
                    break;
                case 3:
                    _choice = Choice.Text;
                    _text = wire.Bytes();
                    break;
                case 4:
                    _choice = Choice.Real;
                    wire.Skip();
                    break;
                default:
                    wire.Skip();
                    break;
            }
        }

        if (wire.Failed)
            _choice = Choice.None;
    }
}
