// A FIFO path in ns-3: point-to-point devices in a row, each handing what it receives to the next, without an IP stack.
// Arguments: packets, hops, gap in ns, service in ns. Prints the seconds of the run and the packets that arrived.
#include "ns3/core-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

#include <chrono>
#include <iostream>
#include <vector>

using namespace ns3;

static std::vector<int64_t> began, delays;
static std::vector<Ptr<NetDevice>> out;

static bool
Forward(uint32_t hop, Ptr<NetDevice>, Ptr<const Packet> packet, uint16_t protocol, const Address&)
{
    if (hop + 1 < out.size())
    {
        return out[hop + 1]->Send(packet->Copy(), out[hop + 1]->GetBroadcast(), protocol);
    }
    delays.push_back(Simulator::Now().GetNanoSeconds() - began[delays.size()]);
    return true;
}

static void
Generate(uint32_t left, Ptr<ExponentialRandomVariable> gap, uint32_t bytes)
{
    began.push_back(Simulator::Now().GetNanoSeconds());
    out[0]->Send(Create<Packet>(bytes), out[0]->GetBroadcast(), 0x0800);
    if (left > 1)
    {
        Simulator::Schedule(NanoSeconds(gap->GetInteger()), &Generate, left - 1, gap, bytes);
    }
}

int
main(int argc, char* argv[])
{
    const uint32_t packets = std::stoul(argv[1]), hops = std::stoul(argv[2]);
    const double gap = std::stod(argv[3]);
    const uint32_t service = std::stoul(argv[4]);
    NodeContainer nodes(hops + 1);
    PointToPointHelper link;
    // a byte takes 8 ns at 1 Gbit/s; the frame has 2 bytes of header
    link.SetDeviceAttribute("DataRate", StringValue("1Gbps"));
    link.SetChannelAttribute("Delay", StringValue("0ns"));
    link.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("1000000p"));
    for (uint32_t hop = 0; hop < hops; ++hop)
    {
        auto pair = link.Install(nodes.Get(hop), nodes.Get(hop + 1));
        out.push_back(pair.Get(0));
        pair.Get(1)->SetReceiveCallback(MakeBoundCallback(&Forward, hop));
    }
    auto variable = CreateObject<ExponentialRandomVariable>();
    variable->SetAttribute("Mean", DoubleValue(gap));
    Simulator::Schedule(NanoSeconds(1), &Generate, packets, variable, service / 8 - 2);
    const auto start = std::chrono::steady_clock::now();
    Simulator::Run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    double mean = 0;
    for (const auto delay : delays)
    {
        mean += static_cast<double>(delay) / delays.size();
    }
    std::cout << "{\"seconds\": " << took.count() << ", \"done\": " << delays.size() << ", \"mean_ns\": " << mean << "}\n";
    Simulator::Destroy();
    return 0;
}
